/**
 * From invalidations to what is to be read: which lane serves one, and how two of the same become one.
 *
 * Each lane reads by its own means and waits for nobody else: files; zones by zoneadm and kstat; datasets by zfs;
 * datasets that no VM shows, which nobody waits for; and rescans.
 */
import { zoneInputs, type Invalidation, type ZoneInput } from '../sources/invalidation.js';
import type { HostState } from './host-state.js';

/** Read these inputs of this zone. A zone that is not known is read whole. */
export interface ZoneRequest {
  readonly lane: 'files' | 'zone';
  readonly zonename: string;
  readonly inputs: ReadonlySet<ZoneInput>;
  /** Its datasets as well. */
  readonly datasets: boolean;
  /** The number of its kernel instance, as last heard. */
  readonly zoneid?: number | undefined;
}

/** List this dataset. */
export interface DatasetRequest {
  readonly lane: 'dataset' | 'unused';
  readonly name: string;
}

/** Read everything, or all datasets. */
export interface RescanRequest {
  readonly lane: 'rescan';
  readonly scope: 'everything' | 'datasets';
  readonly reason: string;
}

/** Read the sysinfo cache. */
export interface SysinfoRequest {
  readonly lane: 'sysinfo';
}

export type Request = ZoneRequest | DatasetRequest | RescanRequest | SysinfoRequest;

/** What to read because of an invalidation, as things stand. Pure. */
export function requestsFor(state: HostState, invalidation: Invalidation): readonly Request[] {
  switch (invalidation.type) {
    case 'zone': {
      const { zonename, zoneid, datasets = false } = invalidation;
      const inputs = new Set(state.zones.has(zonename) ? invalidation.inputs : zoneInputs);
      const lane = datasets || inputs.has('record') || inputs.has('kstat') ? 'zone' : 'files';
      return [{ lane, zonename, inputs, datasets, zoneid }];
    }
    case 'dataset': {
      const use = state.index.use(invalidation.name);
      if (use === 'delegated' || use === 'foreign') return [];
      return [{ lane: use === 'used' ? 'dataset' : 'unused', name: invalidation.name }];
    }
    case 'descendants':
      return state.index.hasRootsBelow(invalidation.dataset)
        ? [{ lane: 'rescan', scope: 'datasets', reason: `${invalidation.dataset} changed` }]
        : [];
    case 'everything':
      return [{ lane: 'rescan', scope: 'everything', reason: invalidation.reason }];
    case 'sysinfo':
      return [{ lane: 'sysinfo' }];
    case 'dataset-gone':
    case 'files-replaced':
      return []; // No reading answers these: see lanes.ts.
  }
}

/** One request for what both ask for. */
export function mergeZoneRequests(a: ZoneRequest, b: ZoneRequest): ZoneRequest {
  const inputs = new Set([...a.inputs, ...b.inputs]);
  return { ...a, inputs, datasets: a.datasets || b.datasets, zoneid: b.zoneid ?? a.zoneid };
}

/** One rescan for both. */
export function mergeRescanRequests(a: RescanRequest, b: RescanRequest): RescanRequest {
  return a.scope === 'everything' ? a : b;
}
