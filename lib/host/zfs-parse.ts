/**
 * `zfs list -H -p`: reads its lines into datasets with their snapshots. A mountpoint may hold raw tabs and newlines, so it is
 * asked for last: further tabs belong to it, and a line with too few columns continues the one before.
 *
 * Format: zfs-list(8), and the captures of OpenZFS in test/fixtures/zfs.
 */
import { zfsLinesPerStep } from '../config.js';
import type { Dataset, DatasetSnapshot } from '../vm/inputs.js';
import { ParseError, collect } from './parse-error.js';
import { allSteps } from '../slices.js';

const source = 'zfs list';

/** The properties to ask for, each with the column in which it is read. */
const at = {
  name: 0,
  type: 1,
  creation: 2,
  userrefs: 3,
  written: 4,
  compression: 5,
  zoned: 6,
  quota: 7,
  refquota: 8,
  refreservation: 9,
  recsize: 10,
  usedbysnapshots: 11,
  volsize: 12,
  volblocksize: 13,
  filesystem_limit: 14,
  snapshot_limit: 15,
  mountpoint: 16,
} as const;

/** The names of the columns to ask for, in order. */
export const datasetFields = Object.keys(at) as readonly (keyof typeof at)[];

/** The columns of one dataset or snapshot, in the order of `datasetFields`. */
type Row = readonly string[];

export interface DatasetListing {
  /** Filesystems and volumes in the order listed, each with its snapshots from the listing. */
  readonly datasets: readonly Dataset[];
  /** Snapshots of datasets that are not in the listing themselves, by the dataset's name. */
  readonly snapshots: ReadonlyMap<string, readonly DatasetSnapshot[]>;
  /** One for each line that could not be read. */
  readonly errors: readonly ParseError[];
}

/**
 * Parses a listing in one go: for short ones, such as one zone's.
 *
 * @throws ParseError when nearly nothing of it can be read.
 */
export function parseDatasets(text: string): DatasetListing {
  const slices = parseSlices(text);
  for (;;) {
    const { done, value } = slices.next();
    if (done) return value;
  }
}

/**
 * Parses a listing of any length without blocking the event loop for more than a few milliseconds at a time.
 *
 * @throws ParseError as parseDatasets.
 */
export function parseDatasetsInSlices(text: string): Promise<DatasetListing> {
  return allSteps(parseSlices(text));
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
    if (++count % zfsLinesPerStep === 0) yield;
    try {
      const fullName = row[at.name] ?? '';
      const end = fullName.indexOf('@');
      const name = end === -1 ? fullName : fullName.slice(0, end);
      const type = row[at.type] ?? '';
      if (type === 'snapshot' && end > 0) {
        snapshotsOf(name).push(snapshotOf(fullName.slice(end + 1), row));
      } else if ((type === 'filesystem' || type === 'volume') && end === -1 && name !== '') {
        datasets.set(name, datasetOf(name, type, row, snapshotsOf(name)));
      } else {
        throw bad(`expected a filesystem, snapshot or volume, got a ${type}`, row);
      }
    } catch (error) {
      collect(errors, error);
    }
  }
  for (const name of datasets.keys()) snapshots.delete(name);
  return { datasets: [...datasets.values()], snapshots, errors };
}

function* rows(text: string, errors: ParseError[]): Generator<Row, void, undefined> {
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
      collect(errors, bad(`expected ${datasetFields.length} columns, got ${columns.length}`, columns));
    }
  }
  if (row) yield row;
}

function snapshotOf(name: string, row: Row): DatasetSnapshot {
  return {
    name,
    createdAt: number(row, at.creation) ?? 0,
    size: number(row, at.written) ?? 0,
    userrefs: number(row, at.userrefs) ?? 0,
  };
}

function datasetOf(
  name: string,
  type: Dataset['type'],
  row: Row,
  snapshots: readonly DatasetSnapshot[],
): Dataset {
  return {
    name,
    type,
    mountpoint: resolveMountpoint(name, type, row[at.mountpoint] ?? '-'),
    zoned: row[at.zoned] === 'on',
    creation: number(row, at.creation) ?? 0,
    compression: row[at.compression] ?? '-',
    quota: number(row, at.quota),
    refquota: number(row, at.refquota),
    refreservation: number(row, at.refreservation),
    recsize: number(row, at.recsize),
    usedBySnapshots: number(row, at.usedbysnapshots),
    volsize: number(row, at.volsize),
    volblocksize: number(row, at.volblocksize),
    filesystemLimit: limit(row, at.filesystem_limit),
    snapshotLimit: limit(row, at.snapshot_limit),
    snapshots,
  };
}

function resolveMountpoint(name: string, type: Dataset['type'], mountpoint: string): string {
  if (type === 'volume') return `/dev/zvol/rdsk/${name}`;
  return mountpoint === 'legacy' || mountpoint === '-' ? `/${name}` : mountpoint;
}

function number(row: Row, column: number): number | undefined {
  const text = row[column];
  if (text === undefined || text === '-') return undefined;
  const value = Number(text);
  if (text === '' || Number.isNaN(value))
    throw bad(`expected a number or '-' as ${datasetFields[column] ?? ''}, got '${text}'`, row);
  return value;
}

/** 2^64-1 means no limit. It is not exact as a number, so it is compared as text. */
function limit(row: Row, column: number): number | undefined {
  return row[column] === '18446744073709551615' ? undefined : number(row, column);
}

function bad(problem: string, row: Row): ParseError {
  return new ParseError(source, problem, row.join('\t'));
}
