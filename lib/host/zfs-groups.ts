/** Splits a listing into parts that each concern a zone or two, so that they can be taken in one by one. Pure. */
import { topOf } from '../vm/dataset-names.js';
import type { Listing } from '../vm/dataset-table.js';
import type { Dataset, DatasetSnapshot } from '../vm/inputs.js';
import type { NamedListing } from './zfs.js';

/** What a listing says about one dataset of two components, `<pool>/<zone>`, and everything in it; or about a pool itself. */
export interface ListingGroup extends Listing {
  readonly top: string;
}

/** The parts of a listing of these names, in the order in which they were requested or listed. */
export function groupsOf(
  listing: Pick<NamedListing, 'datasets' | 'snapshots'> & Partial<Pick<NamedListing, 'missing'>>,
  asked: Pick<Listing, 'whole' | 'rows'>,
): readonly ListingGroup[] {
  const groups = new Map<string, MutableGroup>();
  const groupOf = (name: string) => {
    const top = topOf(name);
    let group = groups.get(top);
    if (group === undefined) {
      group = { top, whole: [], rows: [], datasets: [], snapshots: new Map(), missing: [] };
      groups.set(top, group);
    }
    return group;
  };
  for (const name of asked.whole) groupOf(name).whole.push(name);
  for (const name of asked.rows) groupOf(name).rows.push(name);
  for (const dataset of listing.datasets) groupOf(dataset.name).datasets.push(dataset);
  for (const [name, snapshots] of listing.snapshots) groupOf(name).snapshots.set(name, snapshots);
  for (const name of listing.missing ?? []) groupOf(name).missing.push(name);
  return [...groups.values()];
}

interface MutableGroup {
  readonly top: string;
  readonly whole: string[];
  readonly rows: string[];
  readonly datasets: Dataset[];
  readonly snapshots: Map<string, readonly DatasetSnapshot[]>;
  readonly missing: string[];
}
