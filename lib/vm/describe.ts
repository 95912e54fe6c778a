/**
 * What happened to a VM, in words: `stopped (exit 0)`, `quota 20 -> 73 GiB`, `snapshot daily-3 taken`. Changes that
 * merely follow from another (a pid after a boot, last_modified after anything) are folded into it or left out. Secrets
 * are masked. Pure; the text comes unescaped from the VM: the caller makes it safe for a terminal or a page.
 */
import { changeText, difference, joinReplaced, valueText } from './change-text.js';
import type { Change } from './diff.js';
import type { VmEvent } from './event.js';
import { maskChange, maskEvent } from './secrets.js';
import { sizeText } from './units.js';
import type { VmObject } from './vm-object.js';
import { ramOf } from './vm-properties.js';

/** One thing that happened. */
export interface Happening {
  /** A few words that begin with a verb or with what changed, without the VM's name. */
  readonly text: string;
  /** For a colour or a symbol. */
  readonly kind: 'created' | 'deleted' | 'started' | 'stopped' | 'failed' | 'changed';
  /** Whether it merely follows from others; appears only with `all`. */
  readonly follows: boolean;
}

export interface DescribeOptions {
  /** Also entries that merely follow from others. Default false. */
  readonly all?: boolean;
  /** Show secrets unmasked. Default false. */
  readonly showSecrets?: boolean;
}

/** The entries of an event; empty when all its changes merely follow from others. */
export function describeEvent(event: VmEvent, options: DescribeOptions = {}): readonly Happening[] {
  const told = options.showSecrets ? event : maskEvent(event);
  switch (told.type) {
    case 'create':
      return [happening(`created (${summary(told.vm)})`, 'created')];
    case 'delete':
      return [happening('deleted', 'deleted')];
    case 'modify':
      return describeChanges(told.changes, { ...options, vm: told.vm });
  }
}

/** The entries of changes. `vm` is the VM after them, for the names of its nics. */
export function describeChanges(
  changes: readonly Change[],
  { all = false, showSecrets = false, vm }: DescribeOptions & { readonly vm?: VmObject } = {},
): readonly Happening[] {
  const shown = showSecrets ? changes : changes.map(maskChange);
  const told = [...lifecycle(shown), ...rest(shown, vm)];
  if (!all) return told;
  const following = shown.filter(isFollowing).map((change) => ({
    ...happening(`${change.prettyPath} ${difference(change)}`, 'changed'),
    follows: true,
  }));
  return [...told, ...following];
}

/** `lx, 2 GiB, 10.0.0.7`: the essentials of a new VM. */
export function summary(vm: VmObject): string {
  const ram = ramOf(vm);
  const address = vm.nics.find(({ ip }) => ip !== undefined)?.ip;
  return [
    vm.brand,
    ram === undefined ? undefined : sizeText(ram, 'MiB'),
    address,
    vm.state === 'running' ? undefined : vm.state,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

function happening(text: string, kind: Happening['kind']): Happening {
  return { text, kind, follows: false };
}

/** A change of the VM's state, in one line however many properties show it. */
function lifecycle(changes: readonly Change[]): Happening[] {
  const of = (property: string) => changes.find(({ path }) => path.length === 1 && path[0] === property);
  const state = of('state');
  if (state !== undefined) return [stateHappening(state, of)];
  // Between two readings it went down and came up again.
  if (of('boot_timestamp')?.action === 'changed') return [happening('rebooted', 'started')];
  const restarts = of('init_restarts');
  if (restarts?.newValue === undefined) return [];
  return [happening(`init restarted (${valueText(restarts.newValue)} in all)`, 'changed')];
}

function stateHappening(
  { oldValue, newValue }: Change,
  of: (property: string) => Change | undefined,
): Happening {
  switch (newValue) {
    case 'running':
      return happening(oldValue === 'provisioning' ? 'provisioned, runs' : 'started', 'started');
    case 'stopped': {
      const exit = of('exit_status')?.newValue;
      if (typeof exit !== 'number') return happening('stopped', 'stopped');
      return happening(exit < 0 ? `stopped (signal ${-exit})` : `stopped (exit ${exit})`, 'stopped');
    }
    case 'failed': {
      const why = of('failed')?.newValue;
      return happening(typeof why === 'string' && why !== 'true' ? `failed (${why})` : 'failed', 'failed');
    }
    case 'stopping':
    case 'provisioning':
    case 'receiving':
      return happening(`is ${newValue}`, 'changed');
    // Its kernel instance is there, and nothing runs in it yet.
    case 'ready':
      return happening('is booting', 'changed');
    case 'shutting_down':
      return happening('is shutting down', 'changed');
    default:
      return happening(`is ${valueText(newValue)}`, 'changed');
  }
}

/** Properties that mean nothing by themselves: they follow from a change of state, or from any change. */
const following: ReadonlySet<string | null | undefined> = new Set([
  'last_modified',
  'pid',
  'zoneid',
  'zonedid',
  'boot_timestamp',
  'init_restarts',
  'zone_state',
  'exit_status',
  'exit_timestamp',
  'transition',
  'transition_to',
  'transition_expire',
  'free_space',
]);

function isFollowing({ path }: Change): boolean {
  return path.length === 1 && following.has(path[0]);
}

/** Every change that has a line of its own. */
function rest(changes: readonly Change[], vm: VmObject | undefined): Happening[] {
  const stateTold = changes.some(({ path }) => path.length === 1 && path[0] === 'state');
  const own = changes.filter(
    (change) =>
      !isFollowing(change) && change.path[0] !== 'state' && !(stateTold && change.path[0] === 'failed'),
  );
  return joinReplaced(own).map((change) => happening(changeText(change, vm), 'changed'));
}
