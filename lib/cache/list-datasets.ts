/**
 * Lists named datasets for the table: which names must be asked for, so that all a VM object shows is answered.
 */
import { reloads, zfsListTimeoutMs } from '../config.js';
import { listDatasets } from '../host/zfs.js';
import type { Host } from '../host/host.js';
import { parentOf } from './dataset-names.js';
import type { Listing } from './dataset-table.js';
import type { HostState } from './host-state.js';

/**
 * Lists the datasets, what is directly in them, and their snapshots, in one `zfs list`. The listing is not taken in
 * yet, but the table knows that it is under way: call `done` when it is. A `shared` one, which can be had for each of
 * its datasets alone, is given up sooner.
 *
 * @throws CommandError, ParseError: then there is nothing to take in and nothing to call.
 */
export async function listNamed(
  host: Host,
  state: HostState,
  datasets: Iterable<string>,
  shared: boolean,
): Promise<{ readonly listing: Listing; readonly done: () => void }> {
  const asked = namesToAsk(state, datasets);
  const readAt = state.clock.tick();
  state.datasets.begin(readAt);
  const done = () => {
    state.datasets.end(readAt);
  };
  try {
    const listing = await listDatasets(host, asked, 1, { timeoutMs: timeoutMsOf(asked, shared) });
    if (listing.errors[0] !== undefined) throw listing.errors[0];
    return { listing: { ...listing, readAt, asked }, done };
  } catch (error) {
    done();
    throw error;
  }
}

function timeoutMsOf(asked: readonly string[], shared: boolean): number {
  const sharedMs = reloads.sharedListingTimeoutMs + asked.length * reloads.sharedListingMsPerDataset;
  return shared ? Math.min(sharedMs, zfsListTimeoutMs) : zfsListTimeoutMs;
}

/**
 * A delegated dataset may hold thousands of others, which cannot change a VM: instead of listing it with its children,
 * its parent is listed, and the one snapshot of it that matters is named.
 */
export function namesToAsk(state: HostState, datasets: Iterable<string>): readonly string[] {
  const names = new Set<string>();
  for (const dataset of datasets) {
    const parent = parentOf(dataset);
    const isDelegated =
      dataset.endsWith('/data') && (state.index.isRoot(parent) || !state.index.isRoot(dataset));
    if (isDelegated) {
      names.add(parent);
      names.add(`${dataset}@indestructible`);
    } else {
      names.add(dataset);
    }
  }
  return [...names];
}
