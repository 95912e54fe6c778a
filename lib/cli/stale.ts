/** Warns on stderr when printed VMs may be out of date. */
import { diagnose } from '../client/diagnose.js';
import { VminfodError } from '../client/errors.js';
import type { VmObject } from '../vm/vm-object.js';
import type { Context } from './context.js';

/** Says on stderr that these VMs may be out of date, and why. */
export async function warnIfStale(
  { client, isFleet, warn, signal }: Context,
  vms: readonly VmObject[] = [],
): Promise<void> {
  if (isFleet) {
    const stale = vms.filter((vm) => 'stale' in vm);
    const hosts = new Set(stale.map(({ server_uuid }) => server_uuid));
    if (stale.length === 0) return;
    warn(
      `${stale.length} of these VMs may have changed: ${hosts.size === 1 ? 'their host has' : `their ${hosts.size} hosts have`} not been heard of; vminfo fleet hosts says since when`,
    );
    return;
  }
  try {
    const reasons = diagnose(await client.status({ signal })).filter(({ isStale }) => isStale);
    const [first, ...others] = reasons;
    if (first === undefined) return;
    const more = others.length === 0 ? '' : `, and ${others.length} more`;
    warn(`VMs may have changed since they were read: ${first.what}${more}; vminfo doctor says what to do`);
  } catch (error) {
    if (!(error instanceof VminfodError)) throw error;
    warn(`it is not known whether that is up to date: ${error.message}`);
  }
}
