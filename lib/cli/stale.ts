/** Warns on stderr when printed VMs may be out of date. */
import { diagnose } from '../client/diagnose.js';
import { VminfodError } from '../client/errors.js';
import type { Context } from './context.js';

/** Says on stderr that VMs may be out of date, and why. */
export async function warnIfStale({ client, warn, signal }: Context): Promise<void> {
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
