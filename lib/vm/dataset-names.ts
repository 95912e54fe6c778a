/** What the name of a dataset or snapshot says about its place: `<pool>/<zone>/data@<snapshot>`. Pure. */

/** The dataset that this one, or this snapshot, is directly in; '' above a pool. */
export function parentOf(name: string): string {
  const at = name.indexOf('@');
  return at >= 0 ? name.slice(0, at) : name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/** The dataset itself, or the dataset of a snapshot. */
export function datasetOf(name: string): string {
  const at = name.indexOf('@');
  return at >= 0 ? name.slice(0, at) : name;
}

/** The part of a snapshot's name after the `@`; `undefined` for a dataset. */
export function snapshotOf(name: string): string | undefined {
  const at = name.indexOf('@');
  return at >= 0 ? name.slice(at + 1) : undefined;
}

/** The first component of a dataset's name. */
export function poolOf(name: string): string {
  return name.split(/[/@]/, 1)[0] ?? name;
}

/** How deep a dataset is: 0 for a pool. */
export function levelOf(name: string): number {
  let level = 0;
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) level++;
  return level;
}

/** The dataset that a zone living on this root may be given to manage itself. */
export function delegatedOf(root: string): string {
  return `${root}/data`;
}

/**
 * Whether the dataset has the name of a delegated one, `<pool>/<zone>/data`. A zone can change its mountpoint, and
 * datasets below it are not the VM's.
 */
export function isDelegated(name: string): boolean {
  return name.endsWith('/data') && levelOf(name) === 2 && !name.includes('@');
}

/** What a VM shows of a delegated dataset's snapshots: the one that protects it. A zone may make thousands of others. */
export function protectionOf(dataset: string): readonly string[] {
  return snapshotOf(dataset) === undefined && delegatedOf(parentOf(dataset)) === dataset
    ? [`${dataset}@indestructible`]
    : [];
}

/** Whether `zfs list -d 2` says everything that a VM shows of a dataset: for a root that includes its snapshots. */
export function isInFullListing(name: string, isRoot: boolean): boolean {
  return levelOf(name) < (isRoot ? 2 : 3);
}

/** The dataset by which `zfs list -d 2` shows whether this dataset or snapshot can exist: itself, or one that it is in. */
export function listedAncestorOf(name: string): string {
  return firstComponents(datasetOf(name), 3);
}

/** The dataset of at most two components, `<pool>/<zone>`, that this dataset or snapshot is, or is in. */
export function topOf(name: string): string {
  return firstComponents(datasetOf(name), 2);
}

function firstComponents(dataset: string, count: number): string {
  let end = -1;
  for (let nth = 0; nth < count; nth++) {
    end = dataset.indexOf('/', end + 1);
    if (end < 0) return dataset;
  }
  return dataset.slice(0, end);
}
