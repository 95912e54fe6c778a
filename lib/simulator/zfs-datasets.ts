/**
 * zfs create, clone, rename and promote of datasets, each with the events that a real one posts.
 */
import { parseZfsArguments } from './zfs-arguments.js';
import { fail, usage } from './zfs-error.js';
import { mountDirectory, moveMount, restoreFiles } from './zfs-files.js';
import { parseAssignment, parseSize, volumeReservation } from './zfs-properties.js';
import { setAll } from './zfs-set.js';
import type { SimulatedDataset } from './zfs-store.js';
import type { ZfsTransaction } from './zfs-transaction.js';

const defaultVolblocksize = 8192;
/** What an empty filesystem or volume has written, in bytes. */
const emptyFilesystem = 24576;
const emptyVolume = 12288;

/** `zfs create [-pnsv] [-o property=value]... [-V size] name` */
export function create(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, values, names } = parseZfsArguments(argv, 'pnsvu', 'oVb');
  const name = names[0] ?? usage('missing filesystem argument');
  checkNewName(transaction, name, 'create', flags.has('p'));
  if (flags.has('n') || transaction.store.find(name) !== undefined) return;
  const assignments = (values['o'] ?? []).map((text) => parseAssignment(text, name));
  if (flags.has('p')) createParents(transaction, name);
  const size = values['V']?.[0];
  if (size === undefined) {
    const dataset = transaction.add({ name, type: 'filesystem', written: emptyFilesystem });
    transaction.log('create', name, dataset.id);
    setAll(transaction, dataset, assignments);
    return;
  }
  const volsize = parseSize(size) ?? fail(`bad volume size '${size}'`);
  const volblocksize = Number(
    assignments.find(([key]) => key === 'volblocksize')?.[1] ?? defaultVolblocksize,
  );
  const properties = { volsize, volblocksize };
  const volume = transaction.add({ name, type: 'volume', written: emptyVolume, properties });
  transaction.log('create', name, volume.id);
  setAll(transaction, volume, assignments);
  if (!flags.has('s') && !assignments.some(([key]) => key === 'refreservation')) {
    transaction.set(volume, ['refreservation', volumeReservation(volsize, volblocksize)]);
  }
}

/** `zfs clone [-p] [-o property=value]... snapshot name` */
export function clone(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, values, names } = parseZfsArguments(argv, 'p', 'o');
  const [from = usage('missing source dataset argument'), name = usage('missing target dataset argument')] =
    names;
  const [source, snapshot] = transaction.snapshot(from);
  checkNewName(transaction, name, 'create', flags.has('p'));
  if (transaction.store.find(name) !== undefined) return;
  const assignments = (values['o'] ?? []).map((text) => parseAssignment(text, name));
  if (flags.has('p')) createParents(transaction, name);
  const { volblocksize } = source.properties;
  const properties =
    source.type === 'volume'
      ? { volsize: snapshot.volsize ?? 0, volblocksize: volblocksize ?? defaultVolblocksize }
      : {};
  const dataset = transaction.add({ name, type: source.type, origin: from, properties });
  snapshot.clones.push(name);
  transaction.store.put(source);
  transaction.log('clone', name, dataset.id, `origin=${from} (${snapshot.id})`);
  setAll(transaction, dataset, assignments);
  restoreFiles(transaction.paths, transaction.store, dataset, snapshot);
}

/** `zfs rename [-fpu] name name`; snapshots are renamed by zfs-snapshots.ts. */
export function rename(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { flags, names } = parseZfsArguments(argv, 'fpu');
  const [from = usage('missing source dataset argument'), to = usage('missing target dataset argument')] =
    names;
  const dataset = transaction.dataset(from);
  if (transaction.store.find(to) !== undefined) fail(`cannot rename '${from}': dataset already exists`);
  checkNewName(transaction, to, 'rename', flags.has('p'));
  if (`${to}/`.startsWith(`${from}/`))
    fail(`cannot rename '${from}': New dataset name cannot be a descendant of current dataset name`);
  if (flags.has('p')) createParents(transaction, to);
  const { store, paths } = transaction;
  const tree = transaction.tree(dataset);
  const before = mountDirectory(paths, store, dataset);
  for (const each of tree) store.remove(each.name);
  for (const each of tree) {
    const old = each.name;
    each.name = `${to}${old.slice(from.length)}`;
    store.put(each);
    for (const snapshot of each.snapshots) {
      for (const cloned of snapshot.clones) {
        const itsClone = store.find(cloned) ?? tree.find((other) => other.name === cloned);
        if (itsClone === undefined) continue;
        itsClone.origin = `${each.name}@${snapshot.name}`;
        store.put(itsClone);
      }
    }
    replaceInOrigin(transaction, each, old, each.name);
  }
  transaction.log('rename', from, dataset.id, `-> ${to}`);
  moveMount(before, mountDirectory(paths, store, dataset));
}

/** `zfs promote clone`: the snapshots up to its origin become its own, and what it was cloned from becomes its clone. */
export function promote(transaction: ZfsTransaction, argv: readonly string[]): void {
  const { names } = parseZfsArguments(argv, '');
  const name = names[0] ?? usage('missing clone filesystem argument');
  const dataset = transaction.dataset(name);
  if (dataset.origin === undefined) fail(`cannot promote '${name}': not a cloned filesystem`);
  const [parent, origin] = transaction.snapshot(dataset.origin);
  const moved = parent.snapshots.slice(0, parent.snapshots.indexOf(origin) + 1);
  const clash = moved.find((each) => dataset.snapshots.some((own) => own.name === each.name));
  if (clash !== undefined) fail(`cannot promote '${name}': snapshot name '${name}@${clash.name}' conflicts`);
  parent.snapshots = parent.snapshots.slice(moved.length);
  dataset.snapshots = [...moved, ...dataset.snapshots];
  for (const snapshot of moved) {
    for (const cloned of snapshot.clones.filter((each) => each !== name)) {
      const itsClone = transaction.dataset(cloned);
      itsClone.origin = `${name}@${snapshot.name}`;
      transaction.store.put(itsClone);
    }
  }
  origin.clones = [...origin.clones.filter((each) => each !== name), parent.name];
  if (parent.origin === undefined) delete dataset.origin;
  else {
    dataset.origin = parent.origin;
    replaceInOrigin(transaction, dataset, parent.name, name);
  }
  parent.origin = `${name}@${origin.name}`;
  const usedBySnapshots = parent.snapshots.length === 0 ? parent.usedBySnapshots : 0;
  dataset.usedBySnapshots += usedBySnapshots;
  parent.usedBySnapshots -= usedBySnapshots;
  transaction.store.put(parent);
  transaction.store.put(dataset);
  transaction.log('promote', name, dataset.id);
}

/** The clone list of a dataset's origin names the dataset: puts another name there. */
function replaceInOrigin(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  old: string,
  name: string,
): void {
  if (dataset.origin === undefined) return;
  const [source, snapshot] = transaction.findSnapshot(dataset.origin);
  if (source === undefined || snapshot === undefined) return;
  snapshot.clones = snapshot.clones.map((each) => (each === old ? name : each));
  transaction.store.put(source);
}

function checkNewName(transaction: ZfsTransaction, name: string, action: string, withParents: boolean): void {
  const wrong = /[^A-Za-z0-9/_:. -]/.exec(name)?.[0];
  if (wrong !== undefined) fail(`cannot ${action} '${name}': invalid character '${wrong}' in name`);
  if (withParents) return;
  if (transaction.store.find(name) !== undefined) fail(`cannot ${action} '${name}': dataset already exists`);
  const parent = name.slice(0, Math.max(0, name.lastIndexOf('/')));
  if (transaction.store.find(parent) === undefined) fail(`cannot ${action} '${name}': parent does not exist`);
}

function createParents(transaction: ZfsTransaction, name: string): void {
  const parts = name.split('/').slice(0, -1);
  for (let length = 2; length <= parts.length; length++) {
    const parent = parts.slice(0, length).join('/');
    if (transaction.store.find(parent) !== undefined) continue;
    const dataset = transaction.add({ name: parent, type: 'filesystem', written: emptyFilesystem });
    transaction.log('create', parent, dataset.id);
  }
}
