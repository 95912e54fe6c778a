/**
 * Serves requests for datasets: one `zfs list` for all that are waiting. If that fails or takes too long, each is
 * listed alone, so that only the one that is to blame fails; then its VMs keep what was known, and it is tried again.
 */
import { from, mergeMap, type Observable } from 'rxjs';
import type { Host } from '../host/host.js';
import type { DatasetInvalidation } from '../sources/invalidation.js';
import type { HostState } from './host-state.js';
import { listNamed } from './list-datasets.js';
import type { DatasetRequest } from './requests.js';

/** How one lane lists datasets. */
export interface DatasetLane {
  /** True for a dataset that must be listed alone: a listing that it had part in went wrong. */
  isSuspect(name: string): boolean;
  /** Serves a batch: emits the requests that are settled, and those to be made again. Never fails. */
  run(batch: readonly DatasetRequest[]): Observable<DatasetOutcome>;
}

/** What became of a request for a dataset. */
export type DatasetOutcome =
  | { readonly type: 'settled'; readonly request: DatasetRequest }
  | { readonly type: 'again'; readonly invalidation: DatasetInvalidation; readonly afterMs: number };

/** Makes a lane. The suspects are as many as there are requests at most, and each is cleared by one good listing. */
export function datasetLane(host: Host, state: HostState): DatasetLane {
  const suspects = new Set<string>();

  const serve = async (batch: readonly DatasetRequest[]): Promise<readonly DatasetOutcome[]> => {
    const names = batch.map(({ name }) => name);
    const shared = names.length > 1;
    const listed = await listNamed(host, state, names, shared).catch(asError);
    if (!(listed instanceof Error)) {
      await state.takeListing(listed.listing);
      listed.done();
      for (const name of names) suspects.delete(name);
      for (const name of names) {
        for (const zonename of state.index.zonesOf(name)) {
          // As long as another of its datasets cannot be listed, the zone is in trouble, and its retries grow rarer.
          const { datasets = [] } = state.index.dependencies(zonename) ?? {};
          if (!datasets.some((each) => suspects.has(each))) state.mended(zonename, 'datasets');
        }
      }
    } else if (shared) {
      for (const name of names) suspects.add(name);
      return names.map((name) => ({ type: 'again', invalidation: { type: 'dataset', name }, afterMs: 0 }));
    } else {
      for (const name of names) {
        suspects.add(name);
        for (const zonename of state.index.zonesOf(name)) state.failed(zonename, 'datasets', listed);
      }
    }
    return batch.map((request) => ({ type: 'settled', request }));
  };

  return {
    isSuspect: (name) => suspects.has(name),
    run: (batch) => from(serve(batch)).pipe(mergeMap((outcomes) => outcomes, 1)),
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
