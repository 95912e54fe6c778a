/** How a VM is named on the command line: by its UUID, its alias, or the beginning of its UUID when no other has it. */
import type { RequestOptions, VmClient } from '../client/client.js';
import { NotFoundError } from '../client/errors.js';
import type { VmObject } from '../vm/vm-object.js';
import { CommandError } from './context.js';

/** What is needed of a VM to name it. */
export type Named = Pick<VmObject, 'zonename' | 'uuid' | 'alias'>;

/** Whether a name is a whole UUID: that needs no list of all VMs to be understood. */
export function isUuid(name: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(name);
}

/**
 * The VM that a name means among those there are. A UUID or zonename goes before an alias, and that before a beginning.
 *
 * @throws CommandError for what is no VM, or may be several: then it lists them.
 */
export function vmNamed<T extends Named>(vms: readonly T[], name: string): T {
  const exact = vms.find(({ zonename, uuid }) => zonename === name || uuid === name);
  if (exact) return exact;
  const called = vms.filter(({ alias }) => alias === name && name !== '');
  const candidates =
    called.length > 0 ? called : vms.filter(({ uuid }) => name !== '' && uuid.startsWith(name));
  const [only] = candidates;
  if (candidates.length === 1 && only) return only;
  if (candidates.length === 0) throw new CommandError(unknown(name));
  const listed = candidates.slice(0, maxCandidates).map(({ uuid, alias }) => `  ${uuid}  ${alias ?? '-'}`);
  const more = candidates.length > maxCandidates ? [`  and ${candidates.length - maxCandidates} more`] : [];
  throw new CommandError(
    [`vminfo: ${name} may be any of ${candidates.length} VMs:`, ...listed, ...more].join('\n'),
  );
}

/** Of a UUID this is what zoneadm(8) says, as vmadm does. */
function unknown(name: string): string {
  if (isUuid(name)) return `zoneadm: ${name}: No such zone configured`;
  return `vminfo: no VM has the UUID, the alias or the beginning of a UUID ${JSON.stringify(name)}; vminfo list shows them`;
}

/** Candidates that an error lists. */
const maxCandidates = 10;

/** A VM by its name, whole. @throws CommandError as vmNamed does. */
export async function getVm(
  client: VmClient,
  name: string,
  options: RequestOptions & { readonly sync?: boolean },
): Promise<VmObject> {
  if (!isUuid(name)) return get(await zonenameOf(client, name, options));
  try {
    return await get(name); // Also of a zone that could not be read: then the daemon says why.
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    return get(await zonenameOf(client, name, options)); // Nearly always the UUID is the zonename.
  }

  async function get(zonename: string): Promise<VmObject> {
    return client.vm(zonename, options);
  }
}

/** The zonename of a VM by its name. @throws CommandError as vmNamed does. */
export async function zonenameOf(
  client: VmClient,
  name: string,
  { signal }: RequestOptions,
): Promise<string> {
  return vmNamed(await client.vms({}, signal === undefined ? {} : { signal }), name).zonename;
}

/** Arguments that are VMs' names, and those that are conditions: they have an operator. */
export function namesAndConditions(args: readonly string[]): {
  readonly names: readonly string[];
  readonly conditions: readonly string[];
} {
  const isCondition = (arg: string) => /[=~<>]/.test(arg);
  return { names: args.filter((arg) => !isCondition(arg)), conditions: args.filter(isCondition) };
}
