/**
 * What is known of datasets. Listings are put in with the time they began, and never undo what was learned later:
 * a dataset destroyed while a listing ran does not come back with it.
 */
import { mountpointKey } from '../host/zfs-parse.js';
import type { Dataset, DatasetLookup, DatasetSnapshot } from '../vm/inputs.js';

/** What a listing says, when it began, and what it had been asked for. */
export interface Listing {
  /** The clock when the listing began. */
  readonly readAt: number;
  /**
   * The datasets and snapshots named (with what is directly in them); or `everything`, two levels deep, less the
   * datasets in `except`, on whose absence this listing does not have the last word.
   */
  readonly asked: readonly string[] | 'everything';
  readonly except?: ReadonlySet<string>;
  readonly datasets: readonly Dataset[];
  /** Snapshots of datasets that the listing does not have, by dataset. */
  readonly snapshots: ReadonlyMap<string, readonly DatasetSnapshot[]>;
  /** Datasets and snapshots that were named and do not exist. */
  readonly missing: readonly string[];
}

/** Names and mountpoints about which something else is known than before. */
export interface DatasetChanges {
  readonly names: ReadonlySet<string>;
  readonly mountpoints: ReadonlySet<string>;
}

interface Entry {
  readonly dataset: Dataset;
  readonly readAt: number;
}

/** Datasets by name and by mountpoint. */
export class DatasetTable implements DatasetLookup {
  readonly #byName = new Map<string, Entry>();
  readonly #byMountpoint = new Map<string, string>();
  readonly #children = new Map<string, Set<string>>();
  /** When a dataset was forgotten; kept while a listing that began before may still come in. */
  readonly #forgotten = new Map<string, number>();
  readonly #listingsUnderWay = new Set<number>();

  byName(name: string): Dataset | undefined {
    return this.#byName.get(name)?.dataset;
  }

  byMountpoint(mountpoint: string): Dataset | undefined {
    const name = this.#byMountpoint.get(mountpoint);
    return name === undefined ? undefined : this.byName(name);
  }

  /** Everything known, in no order. */
  names(): Iterable<string> {
    return this.#byName.keys();
  }

  /** Says that a listing begins. Whatever comes of it, `end` must follow. */
  begin(readAt: number): void {
    this.#listingsUnderWay.add(readAt);
  }

  /** Says that the listing that began then is over, applied or failed. */
  end(readAt: number): void {
    this.#listingsUnderWay.delete(readAt);
    const oldest = Math.min(...this.#listingsUnderWay);
    for (const [name, at] of this.#forgotten) {
      if (at < oldest) this.#forgotten.delete(name);
    }
  }

  /** Takes in a listing. */
  apply(listing: Listing): DatasetChanges {
    const changes = new ChangeSet();
    const listed = new Set<string>();
    const asked = listing.asked === 'everything' ? undefined : new Set(listing.asked);
    for (const dataset of listing.datasets) {
      listed.add(dataset.name);
      const known = this.#byName.get(dataset.name);
      if ((known?.readAt ?? 0) > listing.readAt || this.#forgottenSince(dataset.name, listing.readAt))
        continue;
      const hasAllSnapshots = asked === undefined ? levelOf(dataset.name) < 2 : asked.has(dataset.name);
      this.#set(
        hasAllSnapshots ? dataset : this.#withKnownSnapshots(dataset, listing),
        listing.readAt,
        changes,
      );
    }
    for (const name of new Set([
      ...listing.snapshots.keys(),
      ...listing.missing.filter(isSnapshot).map(parentOf),
    ])) {
      const known = this.#byName.get(name);
      if (listed.has(name) || known === undefined) continue;
      const listedSnapshots = listing.snapshots.get(name) ?? [];
      this.#set(
        this.#withKnownSnapshots({ ...known.dataset, snapshots: listedSnapshots }, listing),
        known.readAt,
        changes,
      );
    }
    for (const name of this.#unlisted(listing, listed)) {
      if ((this.#byName.get(name)?.readAt ?? Infinity) < listing.readAt) this.#removeTree(name, changes);
    }
    return changes;
  }

  /** Forgets a dataset and all below it, or one snapshot: it was destroyed. */
  forget(name: string, at: number): DatasetChanges {
    const changes = new ChangeSet();
    if (this.#listingsUnderWay.size > 0) this.#forgotten.set(name, at);
    const [owner = name, snapshot] = name.split('@', 2);
    if (snapshot === undefined) {
      this.#removeTree(name, changes);
    } else {
      const entry = this.#byName.get(owner);
      if (entry?.dataset.snapshots.some((known) => known.name === snapshot) === true) {
        const snapshots = entry.dataset.snapshots.filter((known) => known.name !== snapshot);
        this.#set({ ...entry.dataset, snapshots }, at, changes);
      }
    }
    return changes;
  }

  #set(dataset: Dataset, readAt: number, changes: ChangeSet): void {
    const known = this.#byName.get(dataset.name)?.dataset;
    const same = known !== undefined && sameDataset(known, dataset);
    this.#byName.set(dataset.name, { dataset: same ? known : dataset, readAt });
    if (same) return;
    changes.names.add(dataset.name);
    const before = known && mountpointKey(known);
    const after = mountpointKey(dataset);
    if (before !== after) {
      this.#unmount(dataset.name, before, changes);
      if (after !== undefined) {
        this.#byMountpoint.set(after, dataset.name);
        changes.mountpoints.add(after);
      }
    }
    if (known === undefined) childrenOf(this.#children, parentOf(dataset.name)).add(dataset.name);
  }

  /** Known datasets that the listing would have if they were there. */
  *#unlisted({ asked, except, missing }: Listing, listed: ReadonlySet<string>): Iterable<string> {
    if (asked === 'everything') {
      for (const name of [...this.#byName.keys()]) {
        if (levelOf(name) <= 2 && !listed.has(name) && except?.has(name) !== true) yield name;
      }
      return;
    }
    for (const name of asked) {
      for (const child of [...(this.#children.get(name) ?? [])]) if (!listed.has(child)) yield child;
    }
    yield* missing;
  }

  /** The dataset with the snapshots known of it, less those missing, and with those listed in place of the known. */
  #withKnownSnapshots(dataset: Dataset, { missing, readAt }: Listing): Dataset {
    const listed = new Map(dataset.snapshots.map((snapshot) => [snapshot.name, snapshot]));
    const known = this.byName(dataset.name)?.snapshots ?? [];
    const isOld = ({ name }: DatasetSnapshot) =>
      listed.has(name) || missing.includes(`${dataset.name}@${name}`);
    const snapshots = [...known.filter((snapshot) => !isOld(snapshot)), ...dataset.snapshots];
    return {
      ...dataset,
      snapshots: snapshots.filter(({ name }) => !this.#forgottenSince(`${dataset.name}@${name}`, readAt)),
    };
  }

  #remove(name: string, changes: ChangeSet): void {
    const known = this.#byName.get(name)?.dataset;
    if (known === undefined) return;
    this.#byName.delete(name);
    this.#unmount(name, mountpointKey(known), changes);
    const siblings = this.#children.get(parentOf(name));
    siblings?.delete(name);
    if (siblings?.size === 0) this.#children.delete(parentOf(name));
    changes.names.add(name);
  }

  #removeTree(name: string, changes: ChangeSet): void {
    for (const child of [...(this.#children.get(name) ?? [])]) this.#removeTree(child, changes);
    this.#remove(name, changes);
  }

  #unmount(name: string, mountpoint: string | undefined, changes: ChangeSet): void {
    if (mountpoint === undefined || this.#byMountpoint.get(mountpoint) !== name) return;
    this.#byMountpoint.delete(mountpoint);
    changes.mountpoints.add(mountpoint);
  }

  #forgottenSince(name: string, readAt: number): boolean {
    for (let each = name; each !== ''; each = parentOf(each)) {
      if ((this.#forgotten.get(each) ?? 0) > readAt) return true;
    }
    return false;
  }
}

class ChangeSet implements DatasetChanges {
  readonly names = new Set<string>();
  readonly mountpoints = new Set<string>();
}

/** The dataset that this one, or this snapshot, is directly in; '' above a pool. */
export function parentOf(name: string): string {
  const at = name.indexOf('@');
  return at >= 0 ? name.slice(0, at) : name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

function childrenOf(children: Map<string, Set<string>>, name: string): Set<string> {
  const known = children.get(name) ?? new Set<string>();
  children.set(name, known);
  return known;
}

/** How deep a dataset is: 0 for a pool. */
function levelOf(name: string): number {
  return name.split('/').length - 1;
}

function isSnapshot(name: string): boolean {
  return name.includes('@');
}

/** Compares by value. A listing of a large host has thousands, so this is written for speed. */
function sameDataset(a: Dataset, b: Dataset): boolean {
  return (
    sameFields(a, b) &&
    a.snapshots.length === b.snapshots.length &&
    a.snapshots.every((snapshot, index) => sameFields(snapshot, b.snapshots[index]))
  );
}

/** True when all values but arrays are identical. */
function sameFields<T extends object>(a: T, b: T | undefined): boolean {
  if (b === undefined) return false;
  for (const key in a) {
    if (a[key] !== b[key] && !Array.isArray(a[key])) return false;
  }
  return true;
}
