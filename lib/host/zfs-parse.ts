/**
 * `zfs list -H -p`: reads its lines into datasets with their snapshots. A mountpoint may hold raw tabs and newlines, so it is
 * asked for last: further tabs belong to it, and a line with too few columns continues the one before.
 *
 * Format: zfs-list(8), and the captures of OpenZFS in test/fixtures/zfs.
 */
import { setImmediate } from 'node:timers/promises';
import { zfsLinesPerSlice } from '../config.js';
import type { Dataset, DatasetSnapshot } from '../vm/inputs.js';
import { ParseError, detached } from './parse-error.js';

const source = 'zfs list';

/** The columns to ask for, in the order in which they are read. */
export const datasetFields = [
  'name',
  'type',
  'creation',
  'userrefs',
  'written',
  'compression',
  'zoned',
  'quota',
  'refquota',
  'refreservation',
  'recsize',
  'usedbysnapshots',
  'volsize',
  'volblocksize',
  'filesystem_limit',
  'snapshot_limit',
  'mountpoint',
] as const;

export interface DatasetListing {
  /** Filesystems and volumes in the order listed, each with those of its snapshots that the listing has. */
  readonly datasets: readonly Dataset[];
  /** Snapshots of datasets that are not in the listing themselves, by the dataset's name. */
  readonly snapshots: ReadonlyMap<string, readonly DatasetSnapshot[]>;
  /** One for each line that could not be read. */
  readonly errors: readonly ParseError[];
}

/** Reads a listing at once: for short ones, as of one zone. */
export function parseDatasets(text: string): DatasetListing {
  const slices = parseSlices(text);
  for (;;) {
    const { done, value } = slices.next();
    if (done) return value;
  }
}

/** Reads a listing of any length without holding up the event loop for more than a few milliseconds at a time. */
export async function parseDatasetsInSlices(text: string): Promise<DatasetListing> {
  const slices = parseSlices(text);
  for (;;) {
    const { done, value } = slices.next();
    if (done) return value;
    await setImmediate();
  }
}

/**
 * The key of a dataset in the map from mountpoint to dataset; `undefined` if it must not be found by its mountpoint:
 * it has none, or a zone can change it (zoned, and `<pool>/<zone>/data`, which is delegated).
 */
export function mountpointKey({ name, mountpoint, zoned }: Dataset): string | undefined {
  const delegated = /^[^/]+\/[^/]+\/data$/.test(name);
  return mountpoint.startsWith('/') && !zoned && !delegated ? mountpoint : undefined;
}

function* parseSlices(text: string): Generator<undefined, DatasetListing, undefined> {
  const datasets = new Map<string, Dataset>();
  const snapshots = new Map<string, DatasetSnapshot[]>();
  const errors: ParseError[] = [];
  const snapshotsOf = (name: string) => {
    const known = snapshots.get(name);
    if (known) return known;
    const none: DatasetSnapshot[] = [];
    snapshots.set(name, none);
    return none;
  };

  let count = 0;
  for (const row of rows(text, errors)) {
    if (++count % zfsLinesPerSlice === 0) yield;
    const [name = '', type = '', creation = ''] = row;
    const at = name.indexOf('@');
    if (name === '' || !/^\d+$/.test(creation) || (type === 'snapshot') !== at > 0) {
      errors.push(new ParseError(source, 'expected a dataset', row.join('\t')));
    } else if (type === 'snapshot') {
      snapshotsOf(detached(name.slice(0, at))).push(snapshotOf(detached(name.slice(at + 1)), row));
    } else if (type === 'filesystem' || type === 'volume') {
      const own = detached(name);
      datasets.set(own, datasetOf(own, type, row, snapshotsOf(own)));
    } else {
      errors.push(
        new ParseError(source, `expected a filesystem, snapshot or volume, got '${type}'`, row.join('\t')),
      );
    }
  }
  for (const name of datasets.keys()) snapshots.delete(name);
  return { datasets: [...datasets.values()], snapshots, errors };
}

/** The rows of a listing, each with one string for each of `datasetFields`. */
function* rows(text: string, errors: ParseError[]): Generator<readonly string[], void, undefined> {
  let row: string[] | undefined;
  const last = datasetFields.length - 1;
  for (let start = 0, end; start < text.length; start = end + 1) {
    end = text.indexOf('\n', start);
    if (end === -1) end = text.length;
    const line = text.slice(start, end);
    const columns = line.split('\t');
    if (columns.length > last) {
      if (row) yield row;
      row =
        columns.length === last + 1 ? columns : [...columns.slice(0, last), columns.slice(last).join('\t')];
    } else if (row?.[last]?.startsWith('/')) {
      row[last] += `\n${line}`;
    } else {
      errors.push(
        new ParseError(source, `expected ${datasetFields.length} columns, got ${columns.length}`, line),
      );
    }
  }
  if (row) yield row;
}

function snapshotOf(name: string, [, , creation, userrefs, written]: readonly string[]): DatasetSnapshot {
  return { name, createdAt: Number(creation), size: number(written) ?? 0, userrefs: number(userrefs) ?? 0 };
}

function datasetOf(
  name: string,
  type: Dataset['type'],
  row: readonly string[],
  snapshots: readonly DatasetSnapshot[],
): Dataset {
  const [, , creation, , , compression = '-', zoned, quota, refquota, refreservation, recsize] = row;
  const [usedBySnapshots, volsize, volblocksize, filesystemLimit, snapshotLimit, mountpoint = '-'] =
    row.slice(11);
  return {
    name,
    type,
    mountpoint: resolveMountpoint(name, type, mountpoint),
    zoned: zoned === 'on',
    creation: Number(creation),
    compression: detached(compression),
    quota: number(quota),
    refquota: number(refquota),
    refreservation: number(refreservation),
    recsize: number(recsize),
    usedBySnapshots: number(usedBySnapshots),
    volsize: number(volsize),
    volblocksize: number(volblocksize),
    filesystemLimit: limit(filesystemLimit),
    snapshotLimit: limit(snapshotLimit),
    snapshots,
  };
}

function resolveMountpoint(name: string, type: Dataset['type'], mountpoint: string): string {
  if (type === 'volume') return `/dev/zvol/rdsk/${name}`;
  return mountpoint === 'legacy' || mountpoint === '-' ? `/${name}` : detached(mountpoint);
}

function number(text: string | undefined): number | undefined {
  return text === undefined || text === '-' ? undefined : Number(text);
}

/** 2^64-1 says that there is no limit. It is not exact as a number, so it is compared as text. */
function limit(text: string | undefined): number | undefined {
  return text === '18446744073709551615' ? undefined : number(text);
}
