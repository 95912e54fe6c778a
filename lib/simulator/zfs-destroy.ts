/**
 * zfs destroy, of datasets, snapshots and bookmarks: what prevents it, what is destroyed along with it, and the events.
 */
import { parseZfsArguments } from './zfs-arguments.js';
import { fail } from './zfs-error.js';
import { forgetFiles, mountDirectory, unmount } from './zfs-files.js';
import type { SimulatedDataset, SimulatedSnapshot } from './zfs-store.js';
import type { ZfsTransaction } from './zfs-transaction.js';

/** `zfs destroy [-rRdfnpv] name`, where name is a dataset, `dataset@a,b%c` or `dataset#bookmark`. */
export function destroy(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, names } = parseZfsArguments(argv, 'rRdfnpv');
  const name = names[0] ?? '';
  const recursive = flags.has('r') || flags.has('R');
  if (name.includes('#')) destroyBookmark(transaction, name);
  else if (name.includes('@')) {
    const chosen = chooseSnapshots(transaction, name, recursive);
    if (flags.has('n')) return;
    for (const [dataset, snapshot] of chosen) {
      destroySnapshot(transaction, dataset, snapshot, { defer: flags.has('d'), clones: flags.has('R') });
    }
  } else
    destroyDataset(transaction, transaction.dataset(name), {
      recursive,
      clones: flags.has('R'),
      dryRun: flags.has('n'),
    });
}

/** Destroys a snapshot, or marks it to be destroyed with its last hold and clone (`defer`). */
export function destroySnapshot(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  snapshot: SimulatedSnapshot,
  { defer = false, clones = false }: { readonly defer?: boolean; readonly clones?: boolean } = {},
): void {
  const name = `${dataset.name}@${snapshot.name}`;
  if (clones) {
    for (const each of [...snapshot.clones]) {
      destroyDataset(transaction, transaction.dataset(each), { recursive: true, clones, dryRun: false });
    }
  }
  if (defer && (snapshot.holds.length > 0 || snapshot.clones.length > 0)) {
    snapshot.deferred = true;
    transaction.store.put(dataset);
    transaction.log('defer_destroy', name, snapshot.id);
    return;
  }
  if (snapshot.holds.length > 0) fail(`cannot destroy snapshot ${name}: dataset is busy`);
  if (snapshot.clones.length > 0) {
    const list = snapshot.clones.join('\n');
    fail(
      `cannot destroy '${name}': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n${list}`,
    );
  }
  remove(transaction, dataset, snapshot);
}

/** Destroys a snapshot whose destruction was deferred, once nothing needs it. */
export function releaseDeferred(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  snapshot: SimulatedSnapshot,
): void {
  if (snapshot.deferred === true && snapshot.holds.length === 0 && snapshot.clones.length === 0) {
    remove(transaction, dataset, snapshot);
  }
}

/** Destroys a dataset and all below it. */
export function destroyTree(transaction: ZfsTransaction, dataset: SimulatedDataset): void {
  destroyDataset(transaction, dataset, { recursive: true, clones: false, dryRun: false });
}

/** Destroys a dataset and, if `recursive`, all below it; children go before their parents, snapshots before their dataset. */
function destroyDataset(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  options: { readonly recursive: boolean; readonly clones: boolean; readonly dryRun: boolean },
): void {
  const { recursive, clones, dryRun } = options;
  const { name } = dataset;
  const isPool = !name.includes('/');
  if (isPool && !recursive) {
    fail(
      `cannot destroy '${name}': operation does not apply to pools\n` +
        `use 'zfs destroy -r ${name}' to destroy all datasets in the pool\n` +
        `use 'zpool destroy ${name}' to destroy the pool itself`,
    );
  }
  const tree = isPool ? transaction.store.below(name) : transaction.tree(dataset);
  if (!recursive && (tree.length > 1 || dataset.snapshots.length > 0)) {
    const inTheWay = tree.flatMap((each) => [
      ...each.snapshots.map((snapshot) => `${each.name}@${snapshot.name}`),
      ...(each === dataset ? [] : [each.name]),
    ]);
    const kind = dataset.type === 'volume' ? 'volume' : 'filesystem';
    fail(
      `cannot destroy '${name}': ${kind} has children\nuse '-r' to destroy the following datasets:\n${inTheWay.join('\n')}`,
    );
  }
  const snapshots = tree.flatMap((each) => each.snapshots.map((snapshot) => [each, snapshot] as const));
  const outside = snapshots
    .flatMap(([, snapshot]) => snapshot.clones)
    .filter((clone) => !tree.some((each) => each.name === clone));
  if (outside.length > 0 && !clones) {
    fail(
      `cannot destroy '${name}': filesystem has dependent clones\n` +
        `use '-R' to destroy the following datasets:\n${outside.join('\n')}`,
    );
  }
  const held = snapshots.find(([, snapshot]) => snapshot.holds.length > 0);
  if (held !== undefined) fail(`cannot destroy snapshot ${held[0].name}@${held[1].name}: dataset is busy`);
  if (dryRun) return;
  for (const clone of outside) {
    const found = transaction.store.find(clone); // it may have been destroyed along with an earlier one
    if (found !== undefined) destroyDataset(transaction, found, options);
  }
  const directory = mountDirectory(transaction.paths, transaction.store, dataset);
  for (const each of tree.reverse()) destroyOne(transaction, each);
  unmount(directory);
}

function destroyOne(transaction: ZfsTransaction, dataset: SimulatedDataset): void {
  for (const snapshot of [...dataset.snapshots]) remove(transaction, dataset, snapshot);
  if (Number(dataset.properties['refreservation'] ?? 0) > 0) transaction.set(dataset, ['refreservation', 0]);
  transaction.store.remove(dataset.name);
  // Data older than the origin belongs to the origin, and is not freed.
  const [source, origin] = dataset.origin === undefined ? [] : transaction.findSnapshot(dataset.origin);
  transaction.log('destroy', dataset.name, dataset.id, `(bptree, mintxg=${origin?.txg ?? 1})`);
  if (source === undefined || origin === undefined) return;
  origin.clones = origin.clones.filter((clone) => clone !== dataset.name);
  transaction.store.put(source);
  releaseDeferred(transaction, source, origin);
}

function remove(transaction: ZfsTransaction, dataset: SimulatedDataset, snapshot: SimulatedSnapshot): void {
  const next = dataset.snapshots[dataset.snapshots.indexOf(snapshot) + 1];
  if (next === undefined) dataset.written += snapshot.written;
  else next.written += snapshot.written;
  dataset.snapshots = dataset.snapshots.filter((each) => each !== snapshot);
  if (dataset.snapshots.length === 0) dataset.usedBySnapshots = 0;
  transaction.store.put(dataset);
  forgetFiles(transaction.paths, snapshot);
  transaction.log('destroy', `${dataset.name}@${snapshot.name}`, snapshot.id);
}

function destroyBookmark(transaction: ZfsTransaction, name: string): void {
  const [datasetName = '', bookmark = ''] = name.split('#');
  const dataset = transaction.dataset(datasetName);
  if (!dataset.bookmarks.some((each) => each.name === bookmark)) fail(`bookmark '${name}' does not exist.`);
  dataset.bookmarks = dataset.bookmarks.filter((each) => each.name !== bookmark);
  transaction.store.put(dataset);
  transaction.log('remove bookmark', dataset.name, dataset.id, `name=${bookmark}`);
}

/** The snapshots that `dataset@a,b%c` stands for; `%` is a range by age, open where nothing is named. */
function chooseSnapshots(
  transaction: ZfsTransaction,
  name: string,
  recursive: boolean,
): (readonly [SimulatedDataset, SimulatedSnapshot])[] {
  const [datasetName = '', list = ''] = name.split('@');
  const dataset = transaction.dataset(datasetName);
  const datasets = recursive ? transaction.tree(dataset) : [dataset];
  const chosen = datasets.flatMap((each) =>
    list
      .split(',')
      .flatMap((part) => range(each.snapshots, part).map((snapshot) => [each, snapshot] as const)),
  );
  if (chosen.length === 0) fail(`could not find any snapshots to destroy; check snapshot names.`);
  return chosen;
}

function range(snapshots: readonly SimulatedSnapshot[], part: string): SimulatedSnapshot[] {
  if (!part.includes('%')) return snapshots.filter((each) => each.name === part);
  const [first = '', last = ''] = part.split('%');
  const from = first === '' ? 0 : snapshots.findIndex((each) => each.name === first);
  const to = last === '' ? snapshots.length - 1 : snapshots.findIndex((each) => each.name === last);
  return from === -1 || to === -1 ? [] : snapshots.slice(from, to + 1);
}
