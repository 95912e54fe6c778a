/**
 * What is known about datasets. Listings are stamped with the clock when they began, and never undo what was learned
 * later: a dataset destroyed while a listing ran does not come back with it.
 */
import { datasetOf, isDelegated, parentOf, snapshotOf, topOf } from './dataset-names.js';
import type { Dataset, DatasetLookup, DatasetSnapshot } from './inputs.js';
import { compact } from './json.js';
import { followersOf, keepKnown, replaceNamed, snapshotsByDataset } from './snapshots.js';
import { addTo, removeFrom } from './zone-index.js';

/** What a listing says, and what it was asked for. */
export interface Listing {
  /** What it lists completely; of datasets all snapshots and direct children: anything it lacks there does not exist. */
  readonly whole: readonly string[];
  /** Datasets and snapshots that it lists, if they exist. */
  readonly rows: readonly string[];
  readonly datasets: readonly Dataset[];
  /** Snapshots of datasets that are not in the listing themselves, by dataset. */
  readonly snapshots: ReadonlyMap<string, readonly DatasetSnapshot[]>;
  /** Datasets and snapshots that were named and do not exist. */
  readonly missing: readonly string[];
}

/** What a listing of everything was of. */
export interface FullListing {
  /** Pools, datasets directly in one, and what was asked for by its name. */
  readonly names: ReadonlySet<string>;
  /** Those of them of which, or in which, something could not be read. */
  readonly unreadable: ReadonlySet<string>;
}

/** Names and mountpoints about which the knowledge changed. */
export interface DatasetChanges {
  readonly names: ReadonlySet<string>;
  readonly mountpoints: ReadonlySet<string>;
  /** What must be listed again: datasets of which newer knowledge differs, and snapshots after one that is gone. */
  readonly outdated: ReadonlySet<string>;
}

interface Entry {
  dataset: Dataset;
  /** When its properties were last read. */
  readAt: number;
  /** When all its snapshots were. */
  snapshotsReadAt: number;
}

/** Datasets by name and by mountpoint. */
export class DatasetTable implements DatasetLookup {
  readonly #byName = new Map<string, Entry>();
  /** Several datasets may name the same mountpoint; at most one of them is mounted there. */
  readonly #byMountpoint = new Map<string, Set<string>>();
  readonly #children = new Map<string, Set<string>>();
  /** When a dataset was seen to be gone, and when a snapshot was read by its name; see `prune`. */
  readonly #gone = new Map<string, number>();
  readonly #snapshotsRead = new Map<string, number>();
  #prunedBefore = 0;
  #listed: FullListing | undefined;

  /** Whether everything was ever listed. */
  get isListed(): boolean {
    return this.#listed !== undefined;
  }

  /** Whether a dataset (of two components, or in one of these) was unreadable in the last full listing. */
  isUnreadable(name: string): boolean {
    return this.#listed?.unreadable.has(topOf(name)) === true;
  }

  /** Whether the last full listing listed it, or had it asked for by its name. */
  wasListed(name: string): boolean {
    return this.#listed?.names.has(name) === true;
  }

  /** Everything was listed. */
  listed(listing: FullListing): void {
    this.#listed = listing;
  }

  byName(name: string): Dataset | undefined {
    return this.#byName.get(name)?.dataset;
  }

  byMountpoint(mountpoint: string): Dataset | undefined {
    const names = this.#byMountpoint.get(mountpoint);
    if (names === undefined) return undefined;
    // If there are several: the one that has it by default, or else the first by name.
    const name = names.has(mountpoint.slice(1)) ? mountpoint.slice(1) : [...names].sort()[0];
    return name === undefined ? undefined : this.byName(name);
  }

  /** How many datasets are known. */
  get size(): number {
    return this.#byName.size;
  }

  /** Everything known, in no order. Some may be removed meanwhile. */
  names(): Iterable<string> {
    return this.#byName.keys();
  }

  /** The datasets directly in this one. */
  childrenOf(name: string): Iterable<string> {
    return this.#children.get(name) ?? [];
  }

  /** The next snapshot after this one, if both are known. */
  snapshotAfter(fullName: string): readonly string[] {
    const dataset = datasetOf(fullName);
    const snapshots = this.byName(dataset)?.snapshots ?? [];
    const snapshot = snapshotOf(fullName);
    const at = snapshots.findLastIndex(({ name }) => name === snapshot);
    const next = at < 0 ? undefined : snapshots[at + 1];
    return next === undefined ? [] : [`${dataset}@${next.name}`];
  }

  /** When a dataset was last read; 0 when it is not known. */
  readAt(name: string): number {
    return this.#byName.get(name)?.readAt ?? 0;
  }

  /** Takes in a listing that began at `readAt`, by the clock. */
  take({ whole, rows, datasets, snapshots, missing }: Listing, readAt: number): DatasetChanges {
    const changes = noChanges();
    const listed = new Map<string, Dataset>();
    for (const dataset of datasets) {
      listed.set(dataset.name, dataset);
      if (!this.#goneSince(dataset.name, readAt)) this.#takeDataset(dataset, readAt, changes);
    }
    for (const name of whole) {
      const dataset = listed.get(name);
      if (dataset !== undefined) this.#takeSnapshots(dataset, readAt, changes);
      for (const child of this.childrenOf(name)) {
        if (!listed.has(child) && this.readAt(child) < readAt) this.#removeTree(child, readAt, changes);
      }
    }
    for (const [name, named] of snapshotsByDataset([...rows, ...whole])) {
      const found = listed.get(name)?.snapshots ?? snapshots.get(name) ?? [];
      this.#takeNamedSnapshots(name, named, found, readAt, changes);
    }
    for (const name of missing) {
      if (snapshotOf(name) === undefined && this.readAt(name) <= readAt)
        this.#removeTree(name, readAt, changes);
    }
    return changes;
  }

  /** Forgets a dataset that is missing from a full listing that began then. */
  remove(name: string, readAt: number): DatasetChanges {
    const changes = noChanges();
    if (this.readAt(name) < readAt) this.#removeTree(name, readAt, changes);
    return changes;
  }

  /** Forgets what only older listings need: no listing that began before then is still under way. */
  prune(before: number): void {
    if (before === this.#prunedBefore) return;
    this.#prunedBefore = before;
    for (const times of [this.#gone, this.#snapshotsRead]) {
      for (const [name, at] of times) if (at < before) times.delete(name);
    }
  }

  /** Its properties; its snapshots stay as they are. */
  #takeDataset(listed: Dataset, readAt: number, changes: Changes): void {
    const { name } = listed;
    const entry = this.#byName.get(name);
    const known = entry?.dataset;
    const isSame = known !== undefined && sameProperties(listed, known);
    if (entry !== undefined && entry.readAt > readAt) {
      if (!isSame) changes.outdated.add(name);
      return;
    }
    const snapshots = known?.snapshots ?? [];
    const dataset = isSame ? known : Object.assign(compact({ ...listed, snapshots: [] }), { snapshots });
    if (entry === undefined) this.#byName.set(dataset.name, { dataset, readAt, snapshotsReadAt: 0 });
    else {
      entry.dataset = dataset;
      entry.readAt = readAt;
    }
    if (isSame) return;
    changes.names.add(dataset.name);
    const before = known && mountpointKey(known);
    const after = mountpointKey(dataset);
    if (before !== after) {
      this.#unmount(dataset.name, before, changes);
      if (after !== undefined) {
        addTo(this.#byMountpoint, after, dataset.name);
        changes.mountpoints.add(after);
      }
    }
    if (known === undefined) addTo(this.#children, parentOf(dataset.name), dataset.name);
  }

  /** Replaces all its snapshots, except those about which something newer is known. */
  #takeSnapshots({ name, snapshots: listed }: Dataset, readAt: number, changes: Changes): void {
    const entry = this.#byName.get(name);
    if (entry === undefined || entry.snapshotsReadAt > readAt) return;
    const { snapshots: known } = entry.dataset;
    const isReadSince = (each: DatasetSnapshot) => this.#snapshotReadAt(name, each.name) > readAt;
    const readSince = this.#snapshotsRead.size === 0 ? [] : [...listed, ...known].filter(isReadSince);
    const names = new Set(readSince.map((each) => each.name));
    entry.snapshotsReadAt = readAt;
    const merged = names.size === 0 ? listed : replaceNamed(listed, names, known.filter(isReadSince));
    this.#setSnapshots(entry, keepKnown(known, merged), changes);
  }

  /** Takes in the snapshots that were asked for by name: those found are stored, the others are gone. */
  #takeNamedSnapshots(
    name: string,
    named: ReadonlySet<string>,
    found: readonly DatasetSnapshot[],
    readAt: number,
    changes: Changes,
  ): void {
    const entry = this.#byName.get(name);
    if (entry === undefined || entry.snapshotsReadAt > readAt) return;
    const asked = new Set([...named].filter((each) => this.#snapshotReadAt(name, each) <= readAt));
    for (const each of asked) this.#snapshotsRead.set(`${name}@${each}`, readAt);
    const news = found.filter((each) => asked.has(each.name));
    const before = entry.dataset.snapshots;
    this.#setSnapshots(entry, replaceNamed(before, asked, news), changes);
    // What only they held is now the next one's, which may have been listed before they were gone.
    for (const next of followersOf(before, asked, news)) {
      if (this.#snapshotReadAt(name, next) < readAt) changes.outdated.add(`${name}@${next}`);
    }
  }

  /** When a snapshot was last asked for by its name. */
  #snapshotReadAt(dataset: string, snapshot: string): number {
    return this.#snapshotsRead.get(`${dataset}@${snapshot}`) ?? 0;
  }

  #setSnapshots(entry: Entry, snapshots: readonly DatasetSnapshot[], changes: Changes): void {
    if (snapshots === entry.dataset.snapshots) return;
    entry.dataset = { ...entry.dataset, snapshots };
    changes.names.add(entry.dataset.name);
  }

  #removeTree(name: string, readAt: number, changes: Changes): void {
    this.#gone.set(name, readAt);
    for (const child of this.childrenOf(name)) this.#removeTree(child, readAt, changes);
    const known = this.#byName.get(name)?.dataset;
    if (known === undefined) return;
    this.#byName.delete(name);
    this.#unmount(name, mountpointKey(known), changes);
    removeFrom(this.#children, parentOf(name), name);
    changes.names.add(name);
  }

  #unmount(name: string, mountpoint: string | undefined, changes: Changes): void {
    if (mountpoint === undefined) return;
    removeFrom(this.#byMountpoint, mountpoint, name);
    changes.mountpoints.add(mountpoint);
  }

  #goneSince(name: string, readAt: number): boolean {
    if (this.#gone.size === 0) return false;
    for (let each = name; each !== ''; each = parentOf(each)) {
      if ((this.#gone.get(each) ?? 0) > readAt) return true;
    }
    return false;
  }
}

type Changes = { readonly [K in keyof DatasetChanges]: Set<string> };

function noChanges(): Changes {
  return { names: new Set(), mountpoints: new Set(), outdated: new Set() };
}

/** Compares a parsed dataset, which has all fields, with a known one, ignoring snapshots. */
function sameProperties(parsed: Dataset, known: Dataset): boolean {
  for (const key in parsed) {
    const field = key as keyof Dataset;
    if (field !== 'snapshots' && parsed[field] !== known[field]) return false;
  }
  return true;
}

/**
 * The key of a dataset in the map from mountpoint to dataset; `undefined` if it must not be found by its mountpoint:
 * it has none, or a zone can change it (zoned, and `<pool>/<zone>/data`, which is delegated).
 */
export function mountpointKey({ name, mountpoint, zoned }: Dataset): string | undefined {
  return mountpoint.startsWith('/') && !zoned && !isDelegated(name) ? mountpoint : undefined;
}
