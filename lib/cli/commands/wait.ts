/** `vminfo wait`: waits until VMs match, now or later. */
import type { VmClient } from '../../client/client.js';
import { NotFoundError, NotReadyError, UnreachableError } from '../../client/errors.js';
import type { StreamEvent } from '../../client/events.js';
import { OneOfEach } from '../../fleet/one-of-each.js';
import { matches, parseConditions, type Filter } from '../../vm/filter.js';
import type { VmObject } from '../../vm/vm-object.js';
import { CliError, exit, type Context } from '../context.js';
import { isUuid, namesAndConditions, vmNamed } from '../name-vm.js';
import { printableJson } from '../printable.js';

export interface WaitFlags {
  /** Seconds; 0: for ever. */
  readonly timeout: number;
  readonly json?: boolean;
  /** Wait until they are gone. The condition `state=deleted` means the same. */
  readonly deleted?: boolean;
  /** Conditions that choose the VMs, instead of their names. */
  readonly filter?: readonly string[];
  /** One of the VMs is enough. */
  readonly any?: boolean;
}

/** The VMs to wait for, and their conditions. */
interface Wanted {
  /** Zonenames; empty: any VM that matches. */
  readonly zonenames: readonly string[];
  readonly filter: Filter;
  readonly deleted: boolean;
  readonly any: boolean;
}

export async function wait(
  { client, isFleet, write, signal }: Context,
  args: readonly string[],
  { timeout, json, deleted, filter: choosing = [], any = false }: WaitFlags,
): Promise<number> {
  const { names, conditions } = namesAndConditions(args);
  const untilGone = deleted === true || conditions.includes('state=deleted');
  const filter = parseConditions(conditions.filter((each) => each !== 'state=deleted'));
  const chosen = parseConditions(choosing);
  if (untilGone && names.length + choosing.length === 0)
    throw new CliError('vminfo: say which VM is to be deleted');
  const limit = timeout === 0 ? undefined : AbortSignal.timeout(timeout * 1000);
  const vms = new Map<string, VmObject>();
  const seen = new Map<string, VmObject>();
  // A VM that has been migrated is not gone when its old host deletes it.
  const copies = isFleet ? new OneOfEach() : undefined;
  let wanted: Wanted | undefined;
  const [only, ...others] = names;
  // One zone's events are enough, if the UUID is known to be the zonename.
  const isZone =
    only !== undefined && others.length === 0 && isUuid(only) && (await isThere(client, only, signal));
  const one = isZone ? { zonename: only } : {};
  try {
    for await (const event of client.events({
      ...one,
      signal: limit ? AbortSignal.any([signal, limit]) : signal,
    })) {
      take(event, vms, copies);
      for (const [zonename, vm] of vms) seen.set(zonename, vm);
      wanted ??= {
        zonenames:
          choosing.length > 0 ? choose(chosen, vms, untilGone) : names.map((name) => zonenameOf(name, vms)),
        filter,
        deleted: untilGone,
        any,
      };
      const found = satisfied(wanted, vms);
      if (found) {
        if (json) await write(`${printableJson(found.length === 1 && !any ? found[0] : found, 2)}\n`);
        return exit.ok;
      }
      const gone = untilGone ? [] : wanted.zonenames.filter((each) => seen.has(each) && !vms.has(each));
      if (gone.length > 0 && (!any || gone.length === wanted.zonenames.length)) {
        const lost = gone.map((each) => seen.get(each)?.alias ?? each).join(', ');
        throw new DestroyedError(`vminfo: ${lost}: destroyed while waited for`);
      }
    }
  } catch (error) {
    if (!limit?.aborted || signal.aborted) throw error;
  }
  throw new CliError(`vminfo: not within ${timeout} s: ${open(wanted, vms, seen, args)}`);
}

/** A VM that was waited for is gone. */
export class DestroyedError extends CliError {
  override readonly status = exit.destroyed;
}

async function isThere(client: VmClient, zonename: string, signal: AbortSignal): Promise<boolean> {
  return client.vm(zonename, { signal }).then(
    () => true,
    (error: unknown) => {
      if (
        error instanceof NotFoundError ||
        error instanceof NotReadyError ||
        error instanceof UnreachableError
      )
        return false;
      throw error;
    },
  );
}

function take(event: StreamEvent, vms: Map<string, VmObject>, copies: OneOfEach | undefined): void {
  if (copies !== undefined) {
    for (const { zonename, vm } of copies.take(event)) {
      if (vm === undefined) vms.delete(zonename);
      else vms.set(zonename, vm);
    }
    return;
  }
  if (event.type === 'ready') for (const vm of event.vms) vms.set(vm.zonename, vm);
  else if (event.type === 'delete') vms.delete(event.zonename);
  else vms.set(event.zonename, event.vm);
}

/** A UUID may belong to a VM that does not exist yet; any other name must match an existing VM. */
function zonenameOf(name: string, vms: ReadonlyMap<string, VmObject>): string {
  if (!isUuid(name)) return vmNamed([...vms.values()], name).zonename;
  return [...vms.values()].find(({ uuid }) => uuid === name)?.zonename ?? name;
}

function choose(filter: Filter, vms: ReadonlyMap<string, VmObject>, untilGone: boolean): string[] {
  const chosen = [...vms.values()].filter((vm) => matches(filter, vm)).map(({ zonename }) => zonename);
  if (chosen.length === 0 && !untilGone) throw new CliError('vminfo: no VM matches the filter');
  return chosen;
}

/** The matching VMs, once there are enough; undefined before. Deleted ones cannot be shown: then the list is empty. */
function satisfied(
  { zonenames, filter, deleted, any }: Wanted,
  vms: ReadonlyMap<string, VmObject>,
): readonly VmObject[] | undefined {
  if (deleted) {
    const isGone = (zonename: string) => !vms.has(zonename);
    return (any && zonenames.length > 0 ? zonenames.some(isGone) : zonenames.every(isGone)) ? [] : undefined;
  }
  const candidates = zonenames.length > 0 ? zonenames.map((each) => vms.get(each)) : [...vms.values()];
  const found = candidates.filter((vm) => vm !== undefined && matches(filter, vm)) as VmObject[];
  const enough = any || zonenames.length === 0 ? 1 : zonenames.length;
  return found.length >= enough ? found : undefined;
}

/** What is still missing, for the message. */
function open(
  wanted: Wanted | undefined,
  vms: ReadonlyMap<string, VmObject>,
  seen: ReadonlyMap<string, VmObject>,
  args: readonly string[],
): string {
  if (!wanted || wanted.zonenames.length === 0) return args.join(' ');
  const { filter, deleted } = wanted;
  return wanted.zonenames
    .filter((each) => {
      const vm = vms.get(each);
      return deleted ? vm !== undefined : vm === undefined || !matches(filter, vm);
    })
    .map((each) => {
      const vm = vms.get(each);
      return vm ? `${vm.alias ?? each} is ${vm.state}` : `${seen.get(each)?.alias ?? each} is not there`;
    })
    .join(', ');
}
