/**
 * What is on disk of each dataset: its state (JSON, the truth) and the rows that `zfs list` prints, kept in step. A file
 * holds a top-level dataset and all below it; see commands/zfs.sh for how a name leads to it.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { readJson, removeFile, replaceFile } from './files.js';
import type { Paths } from './paths.js';
import { renderRows } from './zfs-rows.js';
import { defaultValue, isInherited, type PropertyValue } from './zfs-properties.js';

/** A snapshot of a dataset. Mutable: commands change it. */
export interface SimulatedSnapshot {
  /** The part after the `@`. */
  name: string;
  /** history_dsid. */
  id: number;
  /** Seconds since the epoch. */
  creation: number;
  txg: number;
  /** Bytes. */
  written: number;
  /** Of a volume: its size when the snapshot was taken. */
  volsize?: number;
  /** Tags of user holds. */
  holds: string[];
  /** Goes away with its last hold and clone. */
  deferred?: boolean;
  /** Names of the datasets that are clones of it. */
  clones: string[];
  properties: Record<string, PropertyValue>;
  /** Where the dataset's files at that time are kept (zfs-files.ts). */
  files?: string;
}

/** A filesystem or volume. Mutable: commands change it. */
export interface SimulatedDataset {
  name: string;
  type: 'filesystem' | 'volume';
  /** history_dsid. */
  id: number;
  /** Seconds since the epoch. */
  creation: number;
  txg: number;
  /** Values set here, not inherited. */
  properties: Record<string, PropertyValue>;
  /** `<dataset>@<snapshot>` that it is a clone of. */
  origin?: string;
  /** Bytes written since the last snapshot. */
  written: number;
  usedBySnapshots: number;
  /** By age. */
  snapshots: SimulatedSnapshot[];
  bookmarks: { name: string; creation: number }[];
  /** An interrupted incremental receive that can be resumed: the history_dsid of its `%recv`. */
  partialReceive?: number;
}

/** Reads and writes datasets; {@link ZfsStore.commit} saves changes. */
export class ZfsStore {
  readonly #paths: Paths;
  readonly #files = new Map<string, Map<string, SimulatedDataset>>();
  readonly #changed = new Set<string>();

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  /** A dataset by name, or undefined. */
  find(name: string): SimulatedDataset | undefined {
    return this.#file(fileOf(name)).get(name);
  }

  /** The datasets below one, parents before their children. */
  below(name: string): SimulatedDataset[] {
    const files = name.includes('/') ? [fileOf(name)] : this.#filesOfPool(name);
    return files
      .flatMap((file) => [...this.#file(file).values()])
      .filter((dataset) => dataset.name.startsWith(`${name}/`))
      .sort(byName);
  }

  /** The names of the pools. */
  pools(): string[] {
    return readdirSync(this.#paths.zfsStates('')).filter((name) => !name.startsWith('.'));
  }

  /** Adds a dataset, or records a change to one. */
  put(dataset: SimulatedDataset): void {
    const file = fileOf(dataset.name);
    this.#file(file).set(dataset.name, dataset);
    this.#changed.add(file);
  }

  /** Forgets a dataset. */
  remove(name: string): void {
    const file = fileOf(name);
    this.#file(file).delete(name);
    this.#changed.add(file);
  }

  /** An inherited property of a dataset has changed: regenerates all rows below it. */
  putWithHeirs(dataset: SimulatedDataset): void {
    this.put(dataset);
    if (dataset.name.includes('/')) return; // they are in the same file
    for (const file of this.#filesOfPool(dataset.name)) this.#changed.add(file);
  }

  /** The effective value of a property: own, inherited or default. */
  effective(dataset: SimulatedDataset, property: string): PropertyValue | undefined {
    if (property === 'mountpoint') return this.mountpoint(dataset);
    const own = dataset.properties[property];
    if (own !== undefined || !isInherited(property)) return own ?? defaultValue(property);
    const parent = this.parent(dataset);
    return parent === undefined ? defaultValue(property) : this.effective(parent, property);
  }

  /** Where a filesystem is mounted, `legacy` or `none`. */
  mountpoint(dataset: SimulatedDataset): string {
    const own = dataset.properties['mountpoint'];
    if (own !== undefined) return String(own);
    const parent = this.parent(dataset);
    const above = parent === undefined ? '/' : this.mountpoint(parent);
    if (!above.startsWith('/')) return above;
    const last = dataset.name.slice(dataset.name.lastIndexOf('/') + 1);
    return above === '/' ? `/${last}` : `${above}/${last}`;
  }

  /** The dataset above, or undefined for a pool. */
  parent(dataset: SimulatedDataset): SimulatedDataset | undefined {
    const position = dataset.name.lastIndexOf('/');
    return position === -1 ? undefined : this.find(dataset.name.slice(0, position));
  }

  /** Writes the changes: from now on `zfs list` prints them. */
  commit(): void {
    for (const file of this.#changed) {
      const datasets = [...this.#file(file).values()].sort(byName);
      const [state, rows] = [this.#paths.zfsState(file), this.#paths.zfsRows(file)];
      if (datasets.length === 0) {
        removeFile(rows);
        removeFile(state);
        continue;
      }
      const pool = file.slice(0, file.indexOf('/'));
      if (!existsSync(this.#paths.zfsStates(pool))) {
        mkdirSync(this.#paths.zfsStates(pool), { recursive: true });
        mkdirSync(this.#paths.zfsRows(pool), { recursive: true });
      }
      replaceFile(state, JSON.stringify(datasets));
      replaceFile(rows, renderRows(this, datasets));
    }
    this.#changed.clear();
  }

  #file(file: string): Map<string, SimulatedDataset> {
    let datasets = this.#files.get(file);
    if (datasets === undefined) {
      const read = readJson(this.#paths.zfsState(file)) as SimulatedDataset[] | undefined;
      datasets = new Map((read ?? []).map((dataset) => [dataset.name, dataset]));
      this.#files.set(file, datasets);
    }
    return datasets;
  }

  #filesOfPool(pool: string): string[] {
    const directory = this.#paths.zfsStates(pool);
    const onDisk = existsSync(directory) ? readdirSync(directory) : [];
    const files = onDisk
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .map((name) => `${pool}/${name.slice(0, -'.json'.length)}`);
    const added = [...this.#changed].filter((file) => file.startsWith(`${pool}/`));
    return [...new Set([...files, ...added])];
  }
}

/** zfs sorts by name, byte by byte; names are ASCII. */
function byName(a: SimulatedDataset, b: SimulatedDataset): number {
  return a.name < b.name ? -1 : 1;
}

/** The file of a dataset, as commands/zfs.sh finds it. */
function fileOf(name: string): string {
  const [pool = '', top] = name.split('/');
  if (top === undefined) return `${pool}/!pool`;
  const uuid = /^.{8}-.{4}-.{4}-.{4}-.{12}/.exec(top);
  return `${pool}/${uuid === null ? top.replace(/[-. ].*$/, '') : uuid[0]}`;
}
