/** What a publisher would write now, if there were one: `vminfod-publisher --dry-run`. */
import type { VminfodClient } from '../client/client.js';
import type { Nats } from './connection.js';
import { HostSide } from './follow-host.js';
import { vmSubject, type HostId } from './names.js';
import { observe } from './observe.js';
import { Reconciler, type Write } from './reconciler.js';
import type { RedactionOptions } from './redact.js';

/** A write that was not made. */
export interface PlannedWrite {
  readonly subject: string;
  readonly write: Write;
}

/** @throws VminfodError */
export async function plan({
  nats,
  client,
  host,
  signal,
  ...redactionOptions
}: RedactionOptions & {
  readonly nats: Nats;
  readonly client: VminfodClient;
  readonly host: HostId;
  readonly signal: AbortSignal;
}): Promise<readonly PlannedWrite[]> {
  const reconciler = new Reconciler();
  const side = new HostSide({ client, reconciler, ...redactionOptions });
  side.take(await client.vms({}, { signal }), new Date().toISOString());
  reconciler.observe(await observe(nats, host, { signal }));
  await side.account(reconciler.unaccounted(), signal);
  const writes: PlannedWrite[] = [];
  for (let write = reconciler.next(); write !== undefined; write = reconciler.next()) {
    writes.push({ subject: vmSubject({ ...host, zonename: write.zonename }), write });
  }
  return writes;
}
