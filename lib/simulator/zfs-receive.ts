/**
 * `zfs send … | zfs receive …` between datasets of one host, with the events of both ends.
 */
import { destroyTree } from './zfs-destroy.js';
import { fail } from './zfs-error.js';
import { restoreFiles } from './zfs-files.js';
import { parseAssignment } from './zfs-properties.js';
import { addHold, dropHold, lastComponent } from './zfs-snapshots.js';
import type { SimulatedDataset, SimulatedSnapshot } from './zfs-store.js';
import type { Assignment, ZfsTransaction } from './zfs-transaction.js';

/** What is sent, where to, and how. */
export interface ReceiveOptions {
  /** The snapshot that is sent, by its full name. */
  readonly from: string;
  /** The dataset that receives it. It must not exist for a full stream, and must for an incremental one. */
  readonly to: string;
  /** The name of the snapshot that an incremental stream (`send -i`) begins at; without it the stream is full. */
  readonly incremental?: string;
  /** `send -p`: the properties of the source come along. */
  readonly withProperties?: boolean;
  /** `send -R`: the datasets below come along, and the properties of all. */
  readonly replicate?: boolean;
  /** `receive -F` of a replicated stream: destroy what the source does not have. */
  readonly force?: boolean;
  /** `receive -o`, each `property=value`. */
  readonly set?: readonly string[];
  /** The stream breaks off. Without `resumable` the partial data is destroyed. */
  readonly truncated?: boolean;
  /** `receive -s`: keep the partial data of a stream that broke off. */
  readonly resumable?: boolean;
}

/** Receives a stream. One that breaks off fails with a ZfsError, as the real command does, after its events. */
export function receive(transaction: ZfsTransaction, options: ReceiveOptions): void {
  const [source, snapshot] = transaction.snapshot(options.from);
  if (options.replicate === true) receiveReplicated(transaction, source, snapshot, options);
  else if (options.incremental === undefined) receiveFull(transaction, source, snapshot, options);
  else receiveIncremental(transaction, source, snapshot, options);
}

/**
 * `send -R`: holds the sent snapshots while sending. The receiver takes each dataset in turn, from the first snapshot
 * that it does not have; with `receive -F` it first destroys what the source does not have.
 */
function receiveReplicated(
  transaction: ZfsTransaction,
  source: SimulatedDataset,
  last: SimulatedSnapshot,
  options: ReceiveOptions,
): void {
  const { to, incremental, force = false } = options;
  const target = (each: SimulatedDataset): string => `${to}${each.name.slice(source.name.length)}`;
  const sent = transaction.tree(source).map((dataset) => {
    const end = dataset.snapshots.findIndex(({ name }) => name === last.name);
    const begin = dataset.snapshots.findIndex(({ name }) => name === incremental);
    return { dataset, snapshots: dataset.snapshots.slice(Math.max(begin, 0), end + 1), begins: begin !== -1 };
  });
  const held = sent.flatMap(({ dataset, snapshots }) =>
    snapshots.map((snapshot) => [dataset, snapshot] as const),
  );
  const tag = `.send-${process.pid}-1`;
  for (const [dataset, snapshot] of held) addHold(transaction, dataset, snapshot, tag, true);
  for (const [dataset, snapshot] of held) dropHold(transaction, dataset, snapshot, tag);
  if (force) {
    const names = new Set(sent.map(({ dataset }) => target(dataset)));
    for (const extra of transaction.store.below(to).filter(({ name }) => !names.has(name))) {
      if (transaction.store.find(extra.name) !== undefined) destroyTree(transaction, extra);
    }
  }
  for (const { dataset, snapshots, begins } of sent) {
    const properties = hasProperties(dataset) && incremental === undefined;
    const each = { from: options.from, to: target(dataset), withProperties: properties };
    const missing = begins ? snapshots.slice(1) : snapshots;
    for (const [index, snapshot] of missing.entries()) {
      const base = begins ? snapshots[index] : missing[index - 1];
      if (base === undefined) receiveFull(transaction, dataset, snapshot, each);
      else receiveIncremental(transaction, dataset, snapshot, { ...each, incremental: base.name });
    }
  }
}

/** `zfs receive -A name`: discards the partial data of a stream that broke off. */
export function abortReceive(transaction: ZfsTransaction, name: string): void {
  const dataset = transaction.dataset(name);
  if (dataset.partialReceive === undefined)
    fail(`'${name}' does not have any resumable receive state to abort`);
  if (dataset.partialReceive === dataset.id) {
    transaction.store.remove(name);
    transaction.log('destroy', name, dataset.id, '(bptree, mintxg=1)');
    return;
  }
  transaction.log('destroy', `${name}/%recv`, dataset.partialReceive, `(bptree, mintxg=${transaction.txg})`);
  delete dataset.partialReceive;
  transaction.store.put(dataset);
}

function receiveFull(
  transaction: ZfsTransaction,
  source: SimulatedDataset,
  sent: SimulatedSnapshot,
  options: ReceiveOptions,
): void {
  const { to } = options;
  if (transaction.store.find(to) !== undefined) {
    fail(`cannot receive new filesystem stream: destination '${to}' exists\nmust specify -F to overwrite it`);
  }
  const { volblocksize } = source.properties;
  const properties =
    source.type === 'volume' ? { volsize: sent.volsize ?? 0, volblocksize: volblocksize ?? 8192 } : {};
  const dataset = transaction.add({ name: to, type: source.type, written: 1024, properties });
  transaction.log('receive', to, dataset.id);
  if (options.truncated === true) breakOff(transaction, dataset, options);
  setReceived(transaction, dataset, source, options);
  dataset.written = source.snapshots
    .slice(0, source.snapshots.indexOf(sent) + 1)
    .reduce((sum, each) => sum + each.written, 0);
  restoreFiles(transaction.paths, transaction.store, dataset, sent);
  transaction.log('finish receiving', to, dataset.id, `snap=${sent.name}`);
  transaction.takeSnapshot(dataset, sent.name);
}

function receiveIncremental(
  transaction: ZfsTransaction,
  source: SimulatedDataset,
  sent: SimulatedSnapshot,
  options: ReceiveOptions,
): void {
  const { to, incremental } = options;
  const dataset = transaction.dataset(to);
  if (!dataset.snapshots.some((each) => each.name === incremental)) {
    fail(
      `cannot receive incremental stream: most recent snapshot of ${to} does not\nmatch incremental source`,
    );
  }
  const id = transaction.nextId();
  const name = `${to}/%recv`;
  transaction.log('receive', name, id);
  if (options.truncated === true) {
    if (options.resumable === true) {
      dataset.partialReceive = id;
      transaction.store.put(dataset);
    } else transaction.log('destroy', name, id, `(bptree, mintxg=${transaction.txg})`);
    fail('cannot receive incremental stream: incomplete stream');
  }
  setReceived(transaction, dataset, source, options);
  dataset.written = sent.written;
  if (sent.volsize !== undefined) dataset.properties['volsize'] = sent.volsize;
  restoreFiles(transaction.paths, transaction.store, dataset, sent);
  transaction.log('finish receiving', name, id, `snap=${sent.name}`);
  transaction.log('clone swap', name, id, `parent=${lastComponent(to)}`);
  transaction.takeSnapshot(dataset, sent.name);
  transaction.log('destroy', name, id, `(bptree, mintxg=${transaction.txg})`);
}

function setReceived(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  source: SimulatedDataset,
  { withProperties, set }: ReceiveOptions,
): void {
  if (withProperties === true) {
    transaction.log('set', dataset.name, dataset.id, '$hasrecvd=');
    for (const assignment of sentProperties(source)) transaction.set(dataset, assignment);
  }
  for (const text of set ?? []) transaction.set(dataset, parseAssignment(text, dataset.name));
}

/** The geometry of a volume is part of its stream, not a property that is set. */
function sentProperties(source: SimulatedDataset): Assignment[] {
  return Object.entries(source.properties).filter(([name]) => name !== 'volsize' && name !== 'volblocksize');
}

function hasProperties(source: SimulatedDataset): boolean {
  return sentProperties(source).length > 0;
}

function breakOff(
  transaction: ZfsTransaction,
  dataset: SimulatedDataset,
  { resumable }: ReceiveOptions,
): never {
  if (resumable === true) {
    dataset.partialReceive = dataset.id;
    transaction.store.put(dataset);
  } else {
    transaction.store.remove(dataset.name);
    transaction.log('destroy', dataset.name, dataset.id, '(bptree, mintxg=1)');
  }
  fail('cannot receive new filesystem stream: incomplete stream');
}
