/** How much room datasets take, with `zfs list`. It needs no snapshots, so that it takes milliseconds, or a second. */
import { zfsListTimeoutMs } from '../config.js';
import type { DatasetUsage } from '../vm/usage.js';
import { CommandError } from './command-error.js';
import type { Host, ReadOptions } from './host.js';
import { ParseError, requireWholeLines } from './parse-error.js';

const command = '/usr/sbin/zfs';
/** One level deep: the roots of zones are there. */
const args = ['list', '-H', '-p', '-t', 'filesystem', '-d', '1', '-o', 'used,referenced,name'];

/** What the filesystems of all pools take, by name; or why that is not known. */
export async function readUsage(
  host: Host,
  options: ReadOptions = {},
): Promise<ReadonlyMap<string, DatasetUsage> | CommandError | ParseError> {
  try {
    return await listUsage(host, options);
  } catch (error) {
    if (error instanceof CommandError || error instanceof ParseError) return error;
    throw error;
  }
}

async function listUsage(
  host: Host,
  { timeoutMs = zfsListTimeoutMs, signal }: ReadOptions,
): Promise<ReadonlyMap<string, DatasetUsage>> {
  const { stdout } = await host.run(command, args, { timeoutMs, signal });
  const lines = requireWholeLines('zfs list', stdout).split('\n').slice(0, -1);
  // A pool's own figures say nothing of a VM.
  return new Map(lines.map(parseLine).filter(([name]) => name.includes('/')));
}

function parseLine(line: string): readonly [name: string, usage: DatasetUsage] {
  const [used = '', referenced = '', name, ...rest] = line.split('\t');
  if (name === undefined || rest.length > 0) throw new ParseError('zfs list', 'expected three columns', line);
  if (!name.includes('/')) return [name, { used: 0, referenced: 0 }];
  return [name, { used: mebibytes(used, line), referenced: mebibytes(referenced, line) }];
}

function mebibytes(bytes: string, line: string): number {
  if (!/^\d+$/.test(bytes)) throw new ParseError('zfs list', 'expected a number of bytes', line);
  return Math.round(Number(bytes) / 2 ** 20);
}
