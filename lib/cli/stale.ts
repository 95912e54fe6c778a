/** Warns on stderr when printed VMs may be out of date. */
import { diagnose } from '../client/diagnose.js';
import { VminfodError } from '../client/errors.js';
import type { Status } from '../client/status.js';
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
  warnOf(
    { warn },
    await client.status({ signal }).catch((error: unknown) => {
      if (error instanceof VminfodError) return error;
      throw error;
    }),
  );
}

/** Says on stderr that VMs may be out of date, and why: by the daemon's status, or the error that came in its place. */
export function warnOf({ warn }: Pick<Context, 'warn'>, status: Status | VminfodError): void {
  if (status instanceof VminfodError) {
    warn(`it is not known whether that is up to date: ${status.message}`);
    return;
  }
  const [first, ...others] = diagnose(status).filter(({ isStale }) => isStale);
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  warn(`VMs may have changed since they were read: ${first.what}${more}; vminfo doctor says what to do`);
}
