/**
 * The captures of a real OpenZFS in test/fixtures/zfs, as the tests of the simulator use them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { SimulatedDataset } from '../../lib/simulator/index.js';

const captures = join(import.meta.dirname, '../../../test/fixtures/zfs');

/** One `list/NAME`: a command line and what it gave. */
export interface ListCapture {
  readonly name: string;
  readonly command: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** One line of history-events.jsonl. */
export interface HistoryCapture {
  readonly step: string;
  readonly command: string;
  readonly exit: number;
  readonly events: readonly {
    readonly history_internal_name: string;
    readonly history_internal_str: string;
    readonly history_dsname?: string;
  }[];
}

/** All listings. */
export function listCaptures(): ListCapture[] {
  const read = (file: string): string => readFileSync(join(captures, 'list', file), 'utf8');
  return readdirSync(join(captures, 'list'))
    .filter((file) => file.endsWith('.cmd'))
    .map((file) => file.slice(0, -'.cmd'.length))
    .map((name) => ({
      name,
      command: read(`${name}.cmd`).trim(),
      stdout: read(`${name}.out`),
      stderr: read(`${name}.err`),
      exitCode: Number(read(`${name}.rc`)),
    }));
}

/** All commands with the history events that they posted. */
export function historyCaptures(): HistoryCapture[] {
  return readFileSync(join(captures, 'history-events.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as HistoryCapture);
}

/** The words of shell-quoted command lines. */
export async function shellWords(commands: readonly string[]): Promise<string[][]> {
  const script = commands.map((command) => `printf '%s\\0' ${command}\nprintf '\\n\\0'\n`).join('');
  const { stdout } = await execa('bash', ['-s'], { input: script, stripFinalNewline: false });
  return stdout
    .split('\0\n\0')
    .slice(0, -1)
    .map((words) => words.split('\0'));
}

/** The datasets of the captured pool, read from the listing of everything. */
export function capturedPool(): SimulatedDataset[] {
  const lines = readFileSync(join(captures, 'list/full-r-Hp.out'), 'utf8').split('\n').slice(0, -1);
  const rows: string[] = [];
  // A mountpoint may contain a newline: a line with too few columns continues the one before.
  for (const line of lines) {
    const last = rows.at(-1);
    if (last !== undefined && last.split('\t').length < columns) rows[rows.length - 1] = `${last}\n${line}`;
    else rows.push(line);
  }
  const datasets: SimulatedDataset[] = [];
  for (const row of rows) addRow(datasets, row.split('\t'));
  datasets
    .find(({ name }) => name.includes('/aaaaaaaa-'))
    ?.bookmarks.push({ name: 'bm1', creation: 1795405440 });
  return datasets;
}

const columns = 17;

function addRow(datasets: SimulatedDataset[], row: readonly string[]): void {
  const [compression = '', creation = '', filesystemLimit = ''] = row;
  const [
    name = '',
    quota,
    recordsize,
    refquota,
    refreservation,
    snapshotLimit,
    type,
    usedbysnapshots,
    ...rest
  ] = row.slice(-13);
  const [userrefs, volblocksize, volsize, written, zoned = ''] = rest;
  const mountpoint = row.slice(3, -13).join('\t');
  const born = {
    id: datasets.length,
    txg: Number(creation),
    creation: Number(creation),
    written: Number(written),
  };
  const limit = (text: string | undefined): number => (text?.length === 20 ? -1 : Number(text));
  if (type === 'snapshot') {
    datasets.at(-1)?.snapshots.push({
      ...born,
      name: name.slice(name.indexOf('@') + 1),
      ...(volsize === '-' ? {} : { volsize: Number(volsize) }),
      holds: Array.from({ length: Number(userrefs) }, (_, index) => `tag${index}`),
      clones: [],
      properties: {},
    });
    return;
  }
  const common = {
    compression,
    refreservation: Number(refreservation),
    snapshot_limit: limit(snapshotLimit),
  };
  const sizes = { quota: Number(quota), refquota: Number(refquota), recordsize: Number(recordsize) };
  datasets.push({
    ...born,
    name,
    type: type === 'volume' ? 'volume' : 'filesystem',
    properties:
      type === 'volume'
        ? { ...common, volsize: Number(volsize), volblocksize: Number(volblocksize) }
        : { ...common, ...sizes, filesystem_limit: limit(filesystemLimit), mountpoint, zoned },
    usedBySnapshots: Number(usedbysnapshots),
    snapshots: [],
    bookmarks: [],
  });
}
