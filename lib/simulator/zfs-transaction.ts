/**
 * A zfs command in progress: the datasets that it works on, and the history events that it will post. Nothing is on disk
 * before {@link ZfsTransaction.commit}; the events follow, because on a real host `zfs list` is always up to date by
 * then.
 */
import { readCounters, writeCounters, type Counters } from './counters.js';
import type { Paths } from './paths.js';
import { historyLine, post, type HistoryEvent } from './sysevents.js';
import { fail } from './zfs-error.js';
import { mount, saveFiles } from './zfs-files.js';
import {
  isCreateOnly,
  isInherited,
  rawValue,
  volumeReservation,
  type PropertyValue,
} from './zfs-properties.js';
import { ZfsStore, type SimulatedDataset, type SimulatedSnapshot } from './zfs-store.js';

/** A property and its value, as parsed from `name=value`. */
export type Assignment = readonly [name: string, value: PropertyValue];

/** See the module's head. */
export class ZfsTransaction {
  readonly paths: Paths;
  readonly store: ZfsStore;
  readonly events: HistoryEvent[] = [];
  readonly #counters: Counters;

  constructor(paths: Paths) {
    this.paths = paths;
    this.store = new ZfsStore(paths);
    this.#counters = readCounters(paths);
    this.#counters.txg += 1;
  }

  /** The transaction group of this command. */
  get txg(): number {
    return this.#counters.txg;
  }

  /** A new object number. */
  nextId(): number {
    return this.#counters.dsid++;
  }

  /** Notes an event of a dataset, a snapshot of it, or something named below it (`%recv`, `%rollback`). */
  log(name: string, dataset: string, id: number, detail = ''): void {
    this.events.push({ name, dataset, detail, dsid: id, txg: this.txg });
  }

  /** Writes the changes, then posts the events. */
  commit(): void {
    this.store.commit();
    writeCounters(this.paths, this.#counters);
    post(this.paths, 'zfs', this.events.map(historyLine));
  }

  /** A dataset that must exist. */
  dataset(name: string): SimulatedDataset {
    return this.store.find(name) ?? fail(`cannot open '${name}': dataset does not exist`);
  }

  /** A snapshot that must exist, by its full name. */
  snapshot(name: string): readonly [SimulatedDataset, SimulatedSnapshot] {
    const [dataset, snapshot] = this.findSnapshot(name);
    if (dataset === undefined || snapshot === undefined)
      fail(`cannot open '${name}': dataset does not exist`);
    return [dataset, snapshot];
  }

  /** A snapshot and its dataset, as far as they exist. */
  findSnapshot(name: string): readonly [SimulatedDataset | undefined, SimulatedSnapshot | undefined] {
    const [datasetName = '', snapshotName] = name.split('@');
    const dataset = this.store.find(datasetName);
    return [dataset, dataset?.snapshots.find((each) => each.name === snapshotName)];
  }

  /** A dataset and all below it, parents first. */
  tree(dataset: SimulatedDataset): SimulatedDataset[] {
    return [dataset, ...this.store.below(dataset.name)];
  }

  /** Adds a dataset; the caller logs what it is. */
  add(dataset: Pick<SimulatedDataset, 'name' | 'type'> & Partial<SimulatedDataset>): SimulatedDataset {
    const added: SimulatedDataset = {
      id: this.nextId(),
      creation: nowSeconds(),
      txg: this.txg,
      properties: {},
      written: 0,
      usedBySnapshots: 0,
      snapshots: [],
      bookmarks: [],
      ...dataset,
    };
    this.store.put(added);
    mount(this.paths, this.store, added);
    return added;
  }

  /** Sets a property of a dataset, with its event if it has one. */
  set(dataset: SimulatedDataset, [name, value]: Assignment): void {
    if (name.includes('@')) return; // a user's quota is neither in the history nor in our listings
    if (name === 'volsize') {
      this.#resize(dataset, Number(value));
      return;
    }
    dataset.properties[name] = value;
    if (isInherited(name)) this.store.putWithHeirs(dataset);
    else this.store.put(dataset);
    if (!isCreateOnly(name)) this.log('set', dataset.name, dataset.id, `${name}=${rawValue(name, value)}`);
  }

  /** Takes a snapshot of a dataset. */
  takeSnapshot(dataset: SimulatedDataset, name: string): SimulatedSnapshot {
    const volsize = dataset.properties['volsize'];
    const snapshot: SimulatedSnapshot = {
      name,
      id: this.nextId(),
      creation: nowSeconds(),
      txg: this.txg,
      written: dataset.written,
      ...(typeof volsize === 'number' ? { volsize } : {}),
      holds: [],
      clones: [],
      properties: {},
    };
    dataset.written = 0;
    dataset.snapshots.push(snapshot);
    saveFiles(this.paths, this.store, dataset, snapshot);
    this.store.put(dataset);
    this.log('snapshot', `${dataset.name}@${name}`, snapshot.id);
    return snapshot;
  }

  /** A sparse volume grows without an event; any other posts only its new reservation. */
  #resize(dataset: SimulatedDataset, volsize: number): void {
    dataset.properties['volsize'] = volsize;
    this.store.put(dataset);
    if (Number(dataset.properties['refreservation'] ?? 0) === 0) return;
    const volblocksize = Number(dataset.properties['volblocksize']);
    this.set(dataset, ['refreservation', volumeReservation(volsize, volblocksize)]);
  }
}

/** The present, as ZFS keeps it. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
