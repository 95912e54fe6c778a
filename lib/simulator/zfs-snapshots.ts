/**
 * zfs snapshot, hold, release, rollback, bookmark, diff, and rename of snapshots, each with the events that a real one
 * posts.
 */
import { parseZfsArguments } from './zfs-arguments.js';
import { destroySnapshot, releaseDeferred } from './zfs-destroy.js';
import { fail, usage } from './zfs-error.js';
import { restoreFiles } from './zfs-files.js';
import { parseAssignment, rawValue } from './zfs-properties.js';
import type { SimulatedDataset, SimulatedSnapshot } from './zfs-store.js';
import { nowSeconds, type ZfsTransaction } from './zfs-transaction.js';

/** `zfs snapshot [-r] [-o property=value]... dataset@name...` */
export function snapshot(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, values, names } = parseZfsArguments(argv, 'r', 'o');
  const wanted = names.flatMap((name) => {
    const [datasetName = '', snapshotName] = name.split('@');
    if (snapshotName === undefined) fail(`cannot create snapshot '${name}': missing '@' delimiter`);
    const dataset = transaction.dataset(datasetName);
    const datasets = flags.has('r') ? transaction.tree(dataset) : [dataset];
    return datasets.map((each) => [each, snapshotName] as const);
  });
  for (const [dataset, name] of wanted) {
    if (dataset.snapshots.some((each) => each.name === name)) {
      fail(
        `cannot create snapshot '${dataset.name}@${name}': dataset already exists\nno snapshots were created`,
      );
    }
  }
  for (const [dataset, name] of wanted) {
    const taken = transaction.takeSnapshot(dataset, name);
    for (const text of values['o'] ?? []) {
      const [property, value] = parseAssignment(text, dataset.name);
      taken.properties[property] = value;
      transaction.log('set', `${dataset.name}@${name}`, taken.id, `${property}=${rawValue(property, value)}`);
    }
  }
}

/** `zfs hold [-r] tag dataset@name...` */
export function hold(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, names } = parseZfsArguments(argv, 'r');
  const [tag = '', ...targets] = names;
  for (const [dataset, held] of targets.flatMap((name) => matching(transaction, name, flags.has('r')))) {
    const name = `${dataset.name}@${held.name}`;
    if (held.holds.includes(tag)) fail(`cannot hold snapshot '${name}': tag already exists on this dataset`);
    addHold(transaction, dataset, held, tag);
  }
}

/** Notes a hold; a temporary one (of a send or diff) goes away with the process that made it. */
export function addHold(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  held: SimulatedSnapshot,
  tag: string,
  temporary = false,
): void {
  held.holds.push(tag);
  transaction.store.put(dataset);
  const detail = `tag=${tag} temp=${temporary ? 1 : 0} refs=${held.holds.length}`;
  transaction.log('hold', `${dataset.name}@${held.name}`, held.id, detail);
}

/** `zfs release [-r] tag dataset@name...`; a snapshot whose destruction was deferred goes with its last hold. */
export function release(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, names } = parseZfsArguments(argv, 'r');
  const [tag = '', ...targets] = names;
  for (const [dataset, held] of targets.flatMap((name) => matching(transaction, name, flags.has('r')))) {
    const name = `${dataset.name}@${held.name}`;
    if (!held.holds.includes(tag))
      fail(`cannot release hold from snapshot '${name}': no such tag on this dataset`);
    dropHold(transaction, dataset, held, tag);
  }
}

/** Removes a hold. */
export function dropHold(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  held: SimulatedSnapshot,
  tag: string,
): void {
  held.holds = held.holds.filter((each) => each !== tag);
  transaction.store.put(dataset);
  transaction.log('release', `${dataset.name}@${held.name}`, held.id, `tag=${tag} refs=${held.holds.length}`);
  releaseDeferred(transaction, dataset, held);
}

/** `zfs rollback [-rRf] dataset@name`: restores the filesystem's files, without notifying their watchers. */
export function rollback(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, names } = parseZfsArguments(argv, 'rRf');
  const name = names[0] ?? usage('missing dataset argument');
  const [dataset, target] = transaction.snapshot(name);
  const newer = dataset.snapshots.slice(dataset.snapshots.indexOf(target) + 1);
  if (newer.length > 0 && !flags.has('r') && !flags.has('R')) {
    const list = newer.map((each) => `${dataset.name}@${each.name}`).join('\n');
    fail(
      `cannot rollback to '${name}': more recent snapshots or bookmarks exist\n` +
        `use '-r' to force deletion of the following snapshots and bookmarks:\n${list}`,
    );
  }
  for (const each of newer) destroySnapshot(transaction, dataset, each, { clones: flags.has('R') });
  dataset.written = 0;
  if (target.volsize !== undefined) dataset.properties['volsize'] = target.volsize;
  transaction.store.put(dataset);
  restoreFiles(transaction.paths, transaction.store, dataset, target);
  const id = transaction.nextId();
  transaction.log('clone swap', `${dataset.name}/%rollback`, id, `parent=${lastComponent(dataset.name)}`);
  transaction.log('destroy', `${dataset.name}/%rollback`, id, `(bptree, mintxg=${target.txg})`);
}

/** `zfs bookmark dataset@name dataset#name` */
export function bookmark(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { names } = parseZfsArguments(argv, '');
  const [from = usage('missing snapshot argument'), to = usage('missing bookmark argument')] = names;
  const [dataset, marked] = transaction.snapshot(from);
  const name = to.slice(to.indexOf('#') + 1);
  if (dataset.bookmarks.some((each) => each.name === name))
    fail(`cannot create bookmark '${to}': bookmark exists`);
  dataset.bookmarks.push({ name, creation: marked.creation });
  transaction.store.put(dataset);
  const detail = `name=${name} creation_txg=${marked.txg} target_snap=${marked.id} redact_obj=0`;
  transaction.log('bookmark', dataset.name, dataset.id, detail);
}

/** `zfs diff dataset@name [dataset]`: compares with a snapshot that it takes, holds, and defers to destroy. */
export function diff(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { names } = parseZfsArguments(argv, 'FHt');
  const [dataset] = transaction.snapshot(names[0] ?? usage('must provide at least one snapshot name'));
  const tag = `zfs-diff-${process.pid}`;
  const taken = transaction.takeSnapshot(dataset, `${tag}-${nowSeconds().toString(16).padStart(16, '0')}`);
  addHold(transaction, dataset, taken, `%${tag}`, true);
  destroySnapshot(transaction, dataset, taken, { defer: true });
  dropHold(transaction, dataset, taken, `%${tag}`);
}

/** `zfs rename [-r] dataset@name name`; children first, as zfs does. */
export function renameSnapshot(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, names } = parseZfsArguments(argv, 'rfu');
  const [from = '', to = usage('missing target dataset argument')] = names;
  const name = to.slice(to.indexOf('@') + 1);
  const [dataset, source] = transaction.snapshot(from);
  const affected = flags.has('r')
    ? matching(transaction, from, true).reverse()
    : [[dataset, source] as const];
  for (const [each] of affected) {
    if (each.snapshots.some((other) => other.name === name))
      fail(`cannot rename '${from}': dataset already exists`);
  }
  for (const [each, renamed] of affected) {
    const old = `${each.name}@${renamed.name}`;
    renamed.name = name;
    transaction.store.put(each);
    for (const cloned of renamed.clones) {
      const itsClone = transaction.dataset(cloned);
      itsClone.origin = `${each.name}@${name}`;
      transaction.store.put(itsClone);
    }
    transaction.log('rename', old, renamed.id, `-> @${name}`);
  }
}

/** The last part of a dataset's name. */
export function lastComponent(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** The snapshot of that name, and with `recursive` those of the datasets below that have one of the same name. */
function matching(
  transaction: ZfsTransaction,
  name: string,
  recursive: boolean,
): (readonly [SimulatedDataset, SimulatedSnapshot])[] {
  const [dataset, found] = transaction.snapshot(name);
  if (!recursive) return [[dataset, found]];
  return transaction
    .tree(dataset)
    .flatMap((each) =>
      each.snapshots.filter((other) => other.name === found.name).map((other) => [each, other] as const),
    );
}
