import type { RequestOptions, VmClient } from '../client/client.js';
import { NotFoundError } from '../client/errors.js';
import type { VmObject } from '../vm/vm-object.js';
import { CommandError } from './context.js';

/** A VM. Of one that does not exist it says what zoneadm(8) says, as vmadm does. */
export async function getVm(
  client: VmClient,
  zonename: string,
  options: RequestOptions & { readonly sync?: boolean },
): Promise<VmObject> {
  try {
    return await client.vm(zonename, options);
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    throw new CommandError(`zoneadm: ${zonename}: No such zone configured`, { cause });
  }
}
