/**
 * zfs set and inherit, with the events that a real one posts; when a filesystem's mountpoint changes, its files move
 * along.
 */
import { parseZfsArguments } from './zfs-arguments.js';
import { fail, usage } from './zfs-error.js';
import { mountDirectory, moveMount } from './zfs-files.js';
import { canonicalName, isInherited, isUserProperty, parseAssignment, rawValue } from './zfs-properties.js';
import type { SimulatedDataset } from './zfs-store.js';
import { referencedBy } from './zfs-usage.js';
import type { Assignment, ZfsTransaction } from './zfs-transaction.js';

/** `zfs set property=value... name...` */
export function set(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { names } = parseZfsArguments(argv, '');
  const texts = names.filter((each) => each.includes('='));
  const targets = names.filter((each) => !each.includes('='));
  if (texts.length === 0) usage('missing property=value argument(s)');
  if (targets.length === 0) usage('missing dataset name(s)');
  for (const target of targets) {
    const assignments = texts.map((text) => parseAssignment(text, target));
    if (target.includes('@')) setOnSnapshot(transaction, target, assignments);
    else setOnDataset(transaction, transaction.dataset(target), assignments);
  }
}

/** `zfs inherit [-rS] property name...` */
export function inherit(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, names } = parseZfsArguments(argv, 'rS');
  const [property = usage('missing property argument'), ...targets] = names;
  if (targets.length === 0) usage('missing dataset argument');
  const name = canonicalName(property);
  if (!isInherited(name) && !flags.has('S'))
    fail(`'${property}' property cannot be inherited\nuse 'zfs set ${property}=none' to clear`);
  for (const target of targets) {
    const dataset = transaction.dataset(target);
    for (const each of flags.has('r') ? transaction.tree(dataset) : [dataset]) {
      changeMount(transaction, each, () => {
        each.properties = Object.fromEntries(Object.entries(each.properties).filter(([key]) => key !== name));
        transaction.store.putWithHeirs(each);
      });
      transaction.log('inherit', each.name, each.id, `${name}=${rawInherited(transaction, each, name)}`);
    }
  }
}

/** Sets properties of a dataset in their order. */
export function setAll(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  assignments: readonly Assignment[],
): void {
  changeMount(transaction, dataset, () => {
    for (const assignment of assignments) transaction.set(dataset, assignment);
  });
}

function setOnDataset(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  assignments: readonly Assignment[],
): void {
  for (const [name, value] of assignments) {
    const isLimitOfSpace = name === 'quota' || name === 'refquota';
    if (isLimitOfSpace && value !== 0 && Number(value) < referencedBy(dataset)) {
      fail(`cannot set property for '${dataset.name}': size is less than current used or reserved space`);
    }
    if (name === 'volsize' && dataset.type !== 'volume') {
      fail(`cannot set property for '${dataset.name}': '${name}' does not apply to datasets of this type`);
    }
  }
  setAll(transaction, dataset, assignments);
}

function setOnSnapshot(
  transaction: ZfsTransaction,
  target: string,
  assignments: readonly Assignment[],
): void {
  const [dataset, snapshot] = transaction.snapshot(target);
  for (const [name, value] of assignments) {
    if (!isUserProperty(name)) {
      fail(`cannot set property for '${target}': this property can not be modified for snapshots`);
    }
    snapshot.properties[name] = value;
    transaction.store.put(dataset);
    transaction.log('set', target, snapshot.id, `${name}=${rawValue(name, value)}`);
  }
}

/** What an `inherit` event shows: the value in effect now; a mountpoint as it is set above, or `/`. */
function rawInherited(transaction: ZfsTransaction, dataset: SimulatedDataset, name: string): string {
  if (isUserProperty(name)) return '';
  if (name !== 'mountpoint') return rawValue(name, transaction.store.effective(dataset, name));
  for (
    let above = transaction.store.parent(dataset);
    above !== undefined;
    above = transaction.store.parent(above)
  ) {
    const own = above.properties['mountpoint'];
    if (own !== undefined) return String(own);
  }
  return '/';
}

function changeMount(transaction: ZfsTransaction, dataset: SimulatedDataset, change: () => void): void {
  const before = mountDirectory(transaction.paths, transaction.store, dataset);
  change();
  moveMount(before, mountDirectory(transaction.paths, transaction.store, dataset));
}
