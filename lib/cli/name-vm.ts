/** How a VM is named on the command line: by its UUID, its alias, or an unambiguous beginning of its UUID. */
import type { RequestOptions, VmClient } from '../client/client.js';
import { NotFoundError } from '../client/errors.js';
import type { VmObject } from '../vm/vm-object.js';
import { CliError } from './context.js';

/** The parts of a VM by which it can be named. */
export type Named = Pick<VmObject, 'zonename' | 'uuid' | 'alias'>;

/** Whether a name is a full UUID, which can be resolved without listing all VMs. */
export function isUuid(name: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(name);
}

/**
 * Resolves a name among the existing VMs. A UUID or zonename takes precedence over an alias, and an alias over the
 * beginning of a UUID.
 *
 * @throws CommandError when no VM matches, or several do: then it lists them.
 */
export function vmNamed<T extends Named>(vms: readonly T[], name: string): T {
  const exact = vms.find(({ zonename, uuid }) => zonename === name || uuid === name);
  if (exact) return exact;
  const called = vms.filter(({ alias }) => alias === name && name !== '');
  const similar = called.length > 0 ? called : vms.filter(({ uuid }) => name !== '' && uuid.startsWith(name));
  // In a fleet, a VM that is being migrated is there twice.
  const candidates = [...new Map(similar.map((vm) => [vm.zonename, vm])).values()];
  const [only] = candidates;
  if (candidates.length === 1 && only) return only;
  if (candidates.length === 0) throw new CliError(unknown(name));
  const listed = candidates.slice(0, maxCandidates).map(({ uuid, alias }) => `  ${uuid}  ${alias ?? '-'}`);
  const more = candidates.length > maxCandidates ? [`  and ${candidates.length - maxCandidates} more`] : [];
  throw new CliError(
    [`vminfo: ${name} may be any of ${candidates.length} VMs:`, ...listed, ...more].join('\n'),
  );
}

/** For a UUID this is zoneadm(8)'s message, as in vmadm. */
function unknown(name: string): string {
  if (isUuid(name)) return `zoneadm: ${name}: No such zone configured`;
  return `vminfo: no VM has the UUID, the alias or the beginning of a UUID ${JSON.stringify(name)}; vminfo list shows them`;
}

/** Candidates that an error lists. */
const maxCandidates = 10;

/** The full VM object, by its name. @throws CommandError as vmNamed does. */
export async function getVm(
  client: VmClient,
  name: string,
  options: RequestOptions & { readonly sync?: boolean },
): Promise<VmObject> {
  if (!isUuid(name)) return get(await zonenameOf(client, name, options));
  try {
    return await get(name); // Also for a zone that could not be read: then the daemon says why.
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

/** Separates arguments into names of VMs and conditions, which have an operator. */
export function namesAndConditions(args: readonly string[]): {
  readonly names: readonly string[];
  readonly conditions: readonly string[];
} {
  const isCondition = (arg: string) => /[=~<>]/.test(arg);
  return { names: args.filter((arg) => !isCondition(arg)), conditions: args.filter(isCondition) };
}
