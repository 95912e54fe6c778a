/**
 * Lists datasets with `zfs list`: everything, or those named. Datasets that do not exist are part of the answer; any
 * other complaint of zfs is an error, because an incomplete listing must not look complete.
 *
 * The cost of a listing is per snapshot: see `zfsFullListTimeoutMs`. Callers make sure that only one full listing runs at
 * a time.
 */
import { reloads, zfsFullListTimeoutMs, zfsListTimeoutMs } from '../config.js';
import type { CommandResult } from './command.js';
import type { Host, ReadOptions } from './host.js';
import { requireWholeLines } from './parse-error.js';
import { type DatasetListing, datasetFields, parseDatasetsInSlices } from './zfs-parse.js';

const command = '/usr/sbin/zfs';
const listArguments = ['list', '-H', '-p', '-t', 'filesystem,snapshot,volume', '-o', datasetFields.join(',')];

export interface NamedListing extends DatasetListing {
  /** Names that do not exist. */
  readonly missing: readonly string[];
}

/**
 * All pools, two levels deep: `<pool>/<zone>/disk0` is there, its snapshots are not. Name the snapshots that matter
 * below that, `<pool>/<zone>/data@indestructible`, in a `listDatasets`.
 *
 * @throws CommandError, ParseError
 */
export async function listAllDatasets(
  host: Host,
  { timeoutMs = zfsFullListTimeoutMs, signal }: ReadOptions = {},
): Promise<DatasetListing> {
  return list(host, ['-d', '2'], { timeoutMs, signal });
}

/**
 * The named datasets and snapshots: just those, or with `whole` also the children and snapshots of each dataset, which
 * may be thousands. Without names zfs is not run. A listing of several is given up sooner, because each can be listed
 * alone instead.
 *
 * @throws CommandError, ParseError also when a line of it cannot be read
 */
export async function listDatasets(
  host: Host,
  names: readonly string[],
  { whole, signal }: Pick<ReadOptions, 'signal'> & { readonly whole: boolean },
): Promise<NamedListing> {
  if (names.length === 0) return { datasets: [], snapshots: new Map(), errors: [], missing: [] };
  const { sharedListingTimeoutMs, sharedListingMsPerDataset } = reloads;
  const sharedMs = sharedListingTimeoutMs + names.length * sharedListingMsPerDataset;
  const timeoutMs = names.length > 1 ? Math.min(sharedMs, zfsListTimeoutMs) : zfsListTimeoutMs;
  const listing = await list(host, [...(whole ? ['-d', '1'] : []), ...names], { timeoutMs, signal });
  if (listing.errors[0] !== undefined) throw listing.errors[0];
  return listing;
}

async function list(
  host: Host,
  which: readonly string[],
  options: { readonly timeoutMs: number; readonly signal: AbortSignal | undefined },
): Promise<NamedListing> {
  const { stdout, stderr } = await host.run(command, [...listArguments, ...which], {
    ...options,
    accepts: (result) => result.exitCode === 0 || onlyMissesDatasets(result),
  });
  const listing = await parseDatasetsInSlices(requireWholeLines('zfs list', stdout));
  return { ...listing, missing: missingNames(stderr) };
}

function onlyMissesDatasets({ exitCode, stderr }: CommandResult): boolean {
  const lines = stderr.trimEnd().split('\n');
  return exitCode === 1 && lines.every((line) => missing.test(line));
}

function missingNames(stderr: string): readonly string[] {
  return stderr.split('\n').flatMap((line) => missing.exec(line)?.[1] ?? []);
}

const missing = /^cannot open '(.*)': dataset does not exist$/;
