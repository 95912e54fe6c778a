/**
 * Finds the zones that depend on a dataset or mountpoint, in O(1). The names come from the inputs of each zone, never
 * from a pattern alone: an image dataset has a UUID in its name too.
 */
import { delegatedOf, levelOf, parentOf } from './dataset-names.js';

/** What a zone depends on. */
export interface ZoneDependencies {
  readonly zonepath: string;
  /** The dataset it lives on, whether or not it exists yet; `undefined` without a zonepath. */
  readonly root: string | undefined;
  /** All datasets that its VM object shows, the root included. */
  readonly datasets: readonly string[];
}

/**
 * How a dataset matters: `used` by a VM, or below a VM's root · `delegated`: below a delegated dataset, which cannot
 * change a VM object · `unused`, but possibly the root of a future zone · `foreign`: irrelevant to VMs.
 */
export type DatasetUse = 'used' | 'delegated' | 'unused' | 'foreign';

/** From datasets and mountpoints to zones. */
export class ZoneIndex {
  readonly #zones = new Map<string, ZoneDependencies>();
  readonly #byDataset = new Map<string, Set<string>>();
  readonly #byZonepath = new Map<string, string>();
  /** How many zones live on a dataset. */
  readonly #roots = new Map<string, number>();
  /** How many datasets of zones are somewhere below a dataset, without those that are in the zone's root. */
  readonly #usedBelow = new Map<string, number>();

  set(zonename: string, dependencies: ZoneDependencies): void {
    const known = this.#zones.get(zonename);
    if (known !== undefined && sameDependencies(known, dependencies)) return;
    this.remove(zonename);
    this.#zones.set(zonename, dependencies);
    this.#byZonepath.set(dependencies.zonepath, zonename);
    for (const name of dependencies.datasets) addTo(this.#byDataset, name, zonename);
    this.#count(dependencies, 1);
  }

  remove(zonename: string): void {
    const known = this.#zones.get(zonename);
    if (known === undefined) return;
    this.#zones.delete(zonename);
    if (this.#byZonepath.get(known.zonepath) === zonename) this.#byZonepath.delete(known.zonepath);
    for (const name of known.datasets) removeFrom(this.#byDataset, name, zonename);
    this.#count(known, -1);
  }

  dependencies(zonename: string): ZoneDependencies | undefined {
    return this.#zones.get(zonename);
  }

  /** The zones whose VM object shows this dataset. */
  zonesOf(dataset: string): Iterable<string> {
    return this.#byDataset.get(dataset) ?? [];
  }

  /** The zone whose zonepath this is. */
  zoneAt(mountpoint: string): string | undefined {
    return this.#byZonepath.get(mountpoint);
  }

  /** Every dataset that some zone shows. */
  usedDatasets(): Iterable<string> {
    return this.#byDataset.keys();
  }

  isUsed(dataset: string): boolean {
    return this.#byDataset.has(dataset);
  }

  isRoot(dataset: string): boolean {
    return this.#roots.has(dataset);
  }

  /** Whether datasets of VMs inherit from this one. Those in a VM's root do so from the root. */
  hasUsedBelow(dataset: string): boolean {
    return this.#usedBelow.has(dataset);
  }

  /** How a dataset matters to the VMs. */
  use(dataset: string): DatasetUse {
    if (this.isUsed(dataset)) return 'used';
    for (
      let child = dataset, parent = parentOf(dataset);
      parent !== '';
      child = parent, parent = parentOf(parent)
    ) {
      if (this.isRoot(parent))
        return child === delegatedOf(parent) && child !== dataset ? 'delegated' : 'used';
    }
    return levelOf(dataset) === 1 ? 'unused' : 'foreign';
  }

  #count({ root, datasets }: ZoneDependencies, by: 1 | -1): void {
    if (root !== undefined) count(this.#roots, root, by);
    for (const each of datasets) {
      if (root !== undefined && each.startsWith(`${root}/`)) continue;
      for (let name = parentOf(each); name !== ''; name = parentOf(name)) count(this.#usedBelow, name, by);
    }
  }
}

/** Adds a name to the set of that key. */
export function addTo(sets: Map<string, Set<string>>, key: string, name: string): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([name]));
  else known.add(name);
}

/** Removes a name from the set of that key; an empty set is dropped. */
export function removeFrom(sets: Map<string, Set<string>>, key: string, name: string): void {
  const known = sets.get(key);
  known?.delete(name);
  if (known?.size === 0) sets.delete(key);
}

function count(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + by;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}

function sameDependencies(a: ZoneDependencies, b: ZoneDependencies): boolean {
  return a.zonepath === b.zonepath && a.root === b.root && a.datasets.join('\n') === b.datasets.join('\n');
}
