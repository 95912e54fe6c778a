/** The hosts of the fleet, and whether they are stale. */
import { fleet as limits } from '../config.js';
import type { Nats } from './connection.js';
import { consume } from './consume.js';
import { parseHostRecord, type HostRecord } from './host-record.js';
import { hostPrefix, hostStream, parseHostSubject, type HostId } from './names.js';

/** A host of the fleet. */
export interface FleetHost extends HostId {
  readonly record: HostRecord;
  /** When its record was stored last; by the server's clock. */
  readonly heardAt: Date;
  /** Since when it has not been heard from, ISO: its VMs may be out of date. */
  readonly stale?: string;
}

/**
 * All hosts as they are now.
 *
 * @throws VminfodError; the signal's reason.
 */
export async function readHosts(nats: Nats, signal: AbortSignal): Promise<readonly FleetHost[]> {
  const hosts: FleetHost[] = [];
  for await (const raw of consume(nats, hostStream, { filter: `${hostPrefix}>`, signal })) {
    if (raw === 'abreast') break;
    const id = parseHostSubject(raw.subject);
    const record = parseHostRecord(raw.data);
    if (id !== undefined && record !== undefined) hosts.push(hostAt(id, record, raw.storedAt, Date.now()));
  }
  return hosts;
}

/** A host as it is at a given time, ms since the epoch. A host released by its publisher is stale at once. */
export function hostAt(id: HostId, record: HostRecord, heardAt: Date, now: number): FleetHost {
  const isStale = record.publisher.released || now - heardAt.getTime() > limits.staleAfterMs;
  return { ...id, record, heardAt, ...(isStale && { stale: heardAt.toISOString() }) };
}
