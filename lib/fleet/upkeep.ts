/** Maintenance of the fleet: `vminfo fleet forget` and `gc`. They need permissions that no host has. */
import { fleet as limits } from '../config.js';
import type { Nats } from './connection.js';
import { consume } from './consume.js';
import { asFleetError } from './errors.js';
import { hostStream, hostSubject, headerNames, vmStream, vmSubjects, type HostId } from './names.js';

/** Removes a host's record and its VMs. @throws VminfodError */
export async function forgetHost({ manager }: Nats, host: HostId): Promise<number> {
  try {
    await manager.streams.purge(hostStream, { filter: hostSubject(host) });
    return (await manager.streams.purge(vmStream, { filter: vmSubjects(host) })).purged;
  } catch (error) {
    throw asFleetError(error, vmStream);
  }
}

/** Removes old markers of deleted VMs. Returns the number of VMs. @throws VminfodError */
export async function collectMarkers(nats: Nats, signal: AbortSignal): Promise<number> {
  const old: string[] = [];
  for await (const raw of consume(nats, vmStream, { filter: vmSubjects(), headersOnly: true, signal })) {
    if (raw === 'abreast') break;
    const isMarker = raw.header(headerNames.operation) !== '';
    if (isMarker && Date.now() - raw.storedAt.getTime() > limits.markerMs) old.push(raw.subject);
  }
  try {
    for (const subject of old) await nats.manager.streams.purge(vmStream, { filter: subject });
    return old.length;
  } catch (error) {
    throw asFleetError(error, vmStream);
  }
}
