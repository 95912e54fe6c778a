/**
 * Which datasets and snapshots must be listed, and how: because something changed, or before a VM can show them; and
 * when that is done. Pure.
 */
import {
  datasetOf,
  delegatedOf,
  isInFullListing,
  listedAncestorOf,
  parentOf,
  protectionOf,
  snapshotOf,
  topOf,
} from './dataset-names.js';
import type { DatasetTable, Listing } from './dataset-table.js';
import type { ZoneIndex } from './zone-index.js';

/** A dataset or snapshot to be listed. */
export interface ListingNeed {
  readonly name: string;
  /** For a dataset: with its snapshots and direct children, or just its row. */
  readonly whole: boolean;
}

/** What is known about datasets, and who shows them. */
export interface KnownDatasets {
  readonly index: ZoneIndex;
  readonly datasets: DatasetTable;
}

/**
 * What to list because this dataset or snapshot, which a VM uses, may be stale. A root is listed with its snapshots and
 * children, because VMs show these; for any other dataset its own row is enough.
 */
export function listAgain(
  { index, datasets }: KnownDatasets,
  name: string,
  propertiesOnly: boolean,
): readonly ListingNeed[] {
  const dataset = datasetOf(name);
  if (!index.isRoot(dataset)) return rows(dataset, ...protectionOf(dataset));
  const isKnown = datasets.byName(dataset) !== undefined;
  // Destroying a snapshot changes the space used by its dataset's snapshots, and what only the next snapshot holds.
  if (isKnown && dataset !== name) return rows(name, dataset, ...datasets.snapshotAfter(name));
  if (isKnown && propertiesOnly) return rows(name, ...datasets.childrenOf(name));
  return [{ name: dataset, whole: true }];
}

/**
 * What to list before a VM can show its datasets, of which `listed` are done. The root's direct children come with the
 * root, and from then on no change is missed.
 */
export function listFirst(
  datasets: DatasetTable,
  names: readonly string[],
  root: string | undefined,
  listed: ReadonlySet<string>,
): readonly ListingNeed[] {
  const isRootListed = root !== undefined && listed.has(root);
  const needs = names.flatMap((name): readonly ListingNeed[] => {
    const isKnown = datasets.byName(name) !== undefined;
    const isInRoot = root !== undefined && parentOf(name) === root;
    const isNews = isInRoot && isRootListed && !isKnown && name !== delegatedOf(root);
    const whole = name === root || !isRootListed;
    return [
      ...(isInRoot ? (isNews ? rows(name) : []) : [{ name, whole }]),
      ...(isKnown || !isRootListed ? protectionOf(name) : []).map((each) => ({
        name: each,
        whole: !isRootListed,
      })),
    ];
  });
  return needs.filter(({ name }) => !listed.has(name));
}

/** What to list to reread all of a VM's datasets, whatever is known of them. */
export function listAll(names: readonly string[], root: string | undefined): readonly ListingNeed[] {
  return names
    .flatMap((name) => [...(parentOf(name) === root ? [] : [name]), ...protectionOf(name)])
    .map((name) => ({ name, whole: true }));
}

/** Which of a VM's datasets, and of the snapshots that protect them, the last full listing has listed. */
export function alreadyListed(
  datasets: DatasetTable,
  names: readonly string[],
  root: string | undefined,
): readonly string[] {
  return [
    ...names.filter((name) => isInFullListing(name, name === root) && !datasets.isUnreadable(name)),
    ...names.flatMap(protectionOf).filter((name) => datasets.wasListed(name)),
  ];
}

/** What to list because a full listing does not include it. */
export function listBelow({ index, datasets }: KnownDatasets, name: string): readonly ListingNeed[] {
  const isRoot = index.isRoot(name);
  const isInListing = isInFullListing(name, isRoot);
  if (isInListing && datasets.byName(name) === undefined) return []; // It does not exist.
  const protections = protectionOf(name).filter((each) => !datasets.wasListed(each));
  return [...(isInListing ? [] : [{ name, whole: isRoot }]), ...rows(...protections)];
}

/** Whether a listing says what one that failed was to say. What a dataset that is listed whole lacks is gone. */
export function settles(
  { index }: KnownDatasets,
  { whole, rows, datasets }: Pick<Listing, 'whole' | 'rows' | 'datasets'>,
  failed: ListingNeed,
): boolean {
  if (whole.includes(failed.name)) return true;
  const isListed = rows.includes(failed.name) || datasets.some(({ name }) => name === failed.name);
  return isListed ? !failed.whole || !index.isRoot(failed.name) : whole.includes(parentOf(failed.name));
}

/** The same for a full listing that has been taken in: it lists it, or it is gone, perhaps with what it was in. */
export function fullListingSettles(
  { index, datasets }: KnownDatasets,
  unreadable: ReadonlySet<string>,
  { name }: ListingNeed,
): boolean {
  if (unreadable.has(topOf(name))) return false;
  const isShownWhole = snapshotOf(name) !== undefined || index.isRoot(name);
  const isGone = datasets.byName(listedAncestorOf(name)) === undefined;
  return isGone || isInFullListing(datasetOf(name), isShownWhole) || datasets.wasListed(name);
}

function rows(...names: readonly string[]): readonly ListingNeed[] {
  return names.map((name) => ({ name, whole: false }));
}
