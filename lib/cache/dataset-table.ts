/**
 * What is known of datasets. Listings are put in with the time they began, and never undo what was learned later:
 * a dataset destroyed while a listing ran does not come back with it.
 */
import { mountpointKey } from '../host/zfs-parse.js';
import type { Dataset, DatasetLookup, DatasetSnapshot } from '../vm/inputs.js';
import { compact } from '../vm/json.js';
import { isSnapshot, levelOf, parentOf } from './dataset-names.js';
import { addTo, removeFrom } from './sets.js';

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
  /** When its properties were last read. */
  readonly readAt: number;
  /** When its snapshots were: a listing may have all of them, those that were named, or none. */
  readonly snapshotsReadAt: number;
}

/** Snapshots, and when they were read. */
interface Snapshots {
  readonly snapshots: readonly DatasetSnapshot[];
  readonly readAt: number;
}

/** Datasets by name and by mountpoint. */
export class DatasetTable implements DatasetLookup {
  readonly #byName = new Map<string, Entry>();
  /** Several may name the same mountpoint, of which one at most is mounted there. */
  readonly #byMountpoint = new Map<string, Set<string>>();
  readonly #children = new Map<string, Set<string>>();
  /** When a dataset was forgotten; kept while a listing that began before may still come in. */
  readonly #forgotten = new Map<string, number>();
  readonly #listingsUnderWay = new Set<number>();

  byName(name: string): Dataset | undefined {
    return this.#byName.get(name)?.dataset;
  }

  byMountpoint(mountpoint: string): Dataset | undefined {
    const names = this.#byMountpoint.get(mountpoint);
    if (names === undefined) return undefined;
    // As long as there are several: the one that has it by default, or else whichever is first by name.
    const name = names.has(mountpoint.slice(1)) ? mountpoint.slice(1) : [...names].sort()[0];
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
    const steps = this.applying(listing);
    for (;;) {
      const { done, value } = steps.next();
      if (done === true) return value;
    }
  }

  /** Takes in a listing step by step. Others may be taken in between: what is known is true of each dataset at any time. */
  *applying(listing: Listing): Generator<undefined, DatasetChanges, undefined> {
    const changes = new ChangeSet();
    const listed = new Set<string>();
    const { asked, readAt } = listing;
    const named = asked === 'everything' ? new Set<string>() : new Set(asked);
    const ownersNamed = new Set([...named].filter(isSnapshot).map(parentOf));
    for (const dataset of listing.datasets) {
      const { name } = dataset;
      listed.add(name);
      if (this.#forgottenSince(name, readAt)) continue;
      const hasAll = asked === 'everything' ? levelOf(name) < 2 : named.has(name);
      const which = hasAll ? 'all' : ownersNamed.has(name) ? 'named' : 'none';
      const known = this.#byName.get(name);
      const snapshots = this.#snapshots(name, which, dataset.snapshots, listing);
      if (known === undefined || known.readAt <= readAt) this.#set(dataset, readAt, snapshots, changes);
      else this.#set(known.dataset, known.readAt, snapshots, changes);
      yield;
    }
    for (const name of ownersNamed) {
      const known = this.#byName.get(name);
      if (listed.has(name) || known === undefined) continue;
      const snapshots = this.#snapshots(name, 'named', listing.snapshots.get(name) ?? [], listing);
      this.#set(known.dataset, known.readAt, snapshots, changes);
    }
    for (const name of this.#unlisted(listing, listed)) {
      yield;
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
      // Nothing was read: a listing under way still has newer properties, and what it says of this snapshot is not taken.
      const entry = this.#byName.get(owner);
      if (entry?.dataset.snapshots.some((known) => known.name === snapshot) === true) {
        // Nothing else changes, and a dataset may lose thousands of snapshots one by one.
        const snapshots = entry.dataset.snapshots.filter((known) => known.name !== snapshot);
        this.#byName.set(owner, { ...entry, dataset: { ...entry.dataset, snapshots } });
        changes.names.add(owner);
      }
    }
    return changes;
  }

  #set(
    properties: Dataset,
    readAt: number,
    { snapshots, readAt: snapshotsReadAt }: Snapshots,
    changes: ChangeSet,
  ): void {
    const known = this.#byName.get(properties.name)?.dataset;
    const given = properties.snapshots === snapshots ? properties : { ...properties, snapshots };
    const dataset = known !== undefined && sameDataset(given, known) ? known : compact(given);
    const { name } = dataset; // not the one that was given: that is part of a listing
    this.#byName.set(name, { dataset, readAt, snapshotsReadAt });
    if (dataset === known) return;
    changes.names.add(name);
    const before = known && mountpointKey(known);
    const after = mountpointKey(dataset);
    if (before !== after) {
      this.#unmount(name, before, changes);
      if (after !== undefined) {
        addTo(this.#byMountpoint, after, name);
        changes.mountpoints.add(after);
      }
    }
    if (known === undefined) addTo(this.#children, parentOf(name), name);
  }

  /** Known datasets that the listing would have if they were there. */
  *#unlisted({ asked, except, missing }: Listing, listed: ReadonlySet<string>): Iterable<string> {
    if (asked === 'everything') {
      for (const name of [...this.#byName.keys()]) {
        if (!listed.has(name) && levelOf(name) <= 2 && except?.has(name) !== true) yield name;
      }
      return;
    }
    for (const name of asked) {
      for (const child of [...(this.#children.get(name) ?? [])]) if (!listed.has(child)) yield child;
    }
    yield* missing;
  }

  /**
   * A dataset's snapshots after a listing that has all of them, those that were named, or none. What is known stays if it
   * was read later, and what was forgotten since stays forgotten.
   */
  #snapshots(
    name: string,
    which: 'all' | 'named' | 'none',
    listed: readonly DatasetSnapshot[],
    { missing, readAt }: Listing,
  ): Snapshots {
    const entry = this.#byName.get(name);
    const known = { snapshots: entry?.dataset.snapshots ?? listed, readAt: entry?.snapshotsReadAt ?? 0 };
    if (which === 'none' || known.readAt > readAt) return known;
    const read = new Set(listed.map((snapshot) => snapshot.name));
    const isRead = (snapshot: string) => read.has(snapshot) || missing.includes(`${name}@${snapshot}`);
    const snapshots =
      which === 'all' ? listed : [...known.snapshots.filter((each) => !isRead(each.name)), ...listed];
    const isForgotten = (each: DatasetSnapshot) => this.#forgottenSince(`${name}@${each.name}`, readAt);
    return {
      snapshots: snapshots.some(isForgotten) ? snapshots.filter((each) => !isForgotten(each)) : snapshots,
      readAt,
    };
  }

  #remove(name: string, changes: ChangeSet): void {
    const known = this.#byName.get(name)?.dataset;
    if (known === undefined) return;
    this.#byName.delete(name);
    this.#unmount(name, mountpointKey(known), changes);
    removeFrom(this.#children, parentOf(name), name);
    changes.names.add(name);
  }

  #removeTree(name: string, changes: ChangeSet): void {
    for (const child of [...(this.#children.get(name) ?? [])]) this.#removeTree(child, changes);
    this.#remove(name, changes);
  }

  #unmount(name: string, mountpoint: string | undefined, changes: ChangeSet): void {
    if (mountpoint === undefined) return;
    removeFrom(this.#byMountpoint, mountpoint, name);
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

/** Compares one as parsed, which has all fields, with a known one. A large host has thousands: this is written for speed. */
function sameDataset(parsed: Dataset, known: Dataset): boolean {
  return (
    sameFields(parsed, known) &&
    parsed.snapshots.length === known.snapshots.length &&
    parsed.snapshots.every((snapshot, index) => sameFields(snapshot, known.snapshots[index]))
  );
}

/** True when all values of the first but arrays are those of the second. */
function sameFields<T extends object>(a: T, b: T | undefined): boolean {
  if (b === undefined) return false;
  for (const key in a) {
    if (a[key] !== b[key] && !Array.isArray(a[key])) return false;
  }
  return true;
}
