/**
 * What is to be read and for whom, and how two requests for the same thing merge. The lanes do not wait for one another:
 * files; files read ahead; zones (zoneadm and kstat); datasets (zfs); datasets that nobody waits for; and rescans.
 */
import type { ZoneReadings } from '../host/read-zone.js';
import type { Invalidation } from '../sources/invalidation.js';
import { datasetOf } from '../vm/dataset-names.js';
import { needsCommands, zoneInputs, type ZoneInput } from '../vm/inputs.js';
import { listAgain, type ListingNeed } from '../vm/listing-needs.js';
import type { Rescan } from './rescan.js';
import type { HostState } from './state.js';

/** A caller that waits until everything read for it is in the state, or recorded as failed. */
export interface Waiter {
  /** One more request to wait for. */
  began(): void;
  /** One request less to wait for. */
  ended(): void;
  /** It could not be determined whether the zone exists. */
  failed?(error: Error): void;
}

/** Why something is read. It comes back with what was read, and is passed on to follow-up requests. */
export interface Occasion {
  /** When a source first said that this may be stale, as `performance.now()`; `undefined` when none did. */
  readonly noticedAt: number | undefined;
  /** Each appears once for every request of its own that was merged into this one. */
  readonly waiters: readonly Waiter[];
  /** The rescan that it is part of: a change that it finds and no source reported was missed. */
  readonly rescan?: Rescan | undefined;
}

/** Nobody waits for it. */
export const noOccasion: Occasion = { noticedAt: undefined, waiters: [] };

/** A state that a zone sysevent announced; zoneadm may show it only a moment later. */
export interface Announcement {
  readonly newstate: string;
  /** The clock's value when it arrived: a reading that began earlier says nothing about it. */
  readonly since: number;
  /** How often zoneadm was asked without showing it. */
  readonly looks: number;
}

/** Read these inputs of this zone; without any, assemble it again. */
export interface ZoneRequest extends Occasion {
  readonly lane: 'files' | 'zone' | 'read-ahead';
  readonly zonename: string;
  readonly inputs: ReadonlySet<ZoneInput>;
  /** What is in these inputs: they were read when they changed. */
  readonly readings?: ZoneReadings | undefined;
  /** The number of its kernel instance, as last heard. */
  readonly zoneid?: number | undefined;
  readonly announced?: Announcement | undefined;
  /** Which attempt to find its missing XML this is: 1, 2, … Readings made for other reasons do not count. */
  readonly look?: number | undefined;
}

/** List this dataset or snapshot. */
export interface DatasetRequest extends Occasion, ListingNeed {
  /** `dataset`: a VM shows it · `unused`: none does · `below`: too deep for the listing of everything */
  readonly lane: 'dataset' | 'unused' | 'below';
  /** A listing that included it failed: it is listed alone from now on, so that it does not fail others. */
  readonly alone: boolean;
}

/** Read everything, or all datasets. */
export interface RescanRequest extends Occasion {
  readonly lane: 'rescan';
  readonly scope: 'everything' | 'datasets';
  readonly reason: string;
}

/** Read the sysinfo cache. */
export interface SysinfoRequest extends Occasion {
  readonly lane: 'sysinfo';
}

export type Request = ZoneRequest | DatasetRequest | RescanRequest | SysinfoRequest;

/** How something is read; see lanes.ts. */
export type LaneName = Request['lane'];

/** Two requests of a lane with the same key are the same. */
export function keyOf(request: Request): string {
  if ('zonename' in request) return request.zonename;
  return 'name' in request ? request.name : request.lane;
}

/** Merges two requests of the same lane and key, and everyone who waits for either. */
export function mergeRequests<R extends Request>(a: R, b: R): R {
  const merged = { ...b, ...mergeOccasions(a, b) };
  if ('inputs' in a && 'inputs' in b) {
    const inputs = new Set([...a.inputs, ...b.inputs]);
    return {
      ...merged,
      inputs,
      readings: a.readings && b.readings && { ...a.readings, ...b.readings },
      zoneid: b.zoneid ?? a.zoneid,
      // The later state, though another look for the one before it may have been asked for since.
      announced: (a.announced?.since ?? -1) > (b.announced?.since ?? -1) ? a.announced : b.announced,
      look: b.look ?? a.look,
    };
  }
  if ('whole' in a && 'whole' in b) {
    return { ...merged, whole: a.whole || b.whole, alone: a.alone || b.alone };
  }
  return 'scope' in a && a.scope === 'everything' ? { ...merged, scope: a.scope, reason: a.reason } : merged;
}

/** The merged reason for something that is requested twice. */
export function mergeOccasions(a: Occasion, b: Occasion): Occasion {
  const times = [a.noticedAt, b.noticedAt].filter((time) => time !== undefined);
  return {
    noticedAt: times.length === 0 ? undefined : Math.min(...times),
    waiters: [...a.waiters, ...b.waiters],
    rescan: b.rescan ?? a.rescan,
  };
}

/** A request for inputs of a zone. A request for files alone does not wait for commands. */
export function zoneRequest(zonename: string, inputs: Iterable<ZoneInput>, occasion: Occasion): ZoneRequest {
  const wanted = new Set(inputs);
  const lane = needsCommands(wanted) ? ('zone' as const) : ('files' as const);
  return Object.assign(occasionOf(occasion), { lane, zonename, inputs: wanted });
}

/** Requests for datasets and snapshots. */
export function datasetRequests(
  lane: DatasetRequest['lane'],
  needs: readonly ListingNeed[],
  occasion: Occasion,
): readonly DatasetRequest[] {
  return needs.map((need) => Object.assign(occasionOf(occasion), { lane }, need, { alone: false }));
}

/** The reason to pass on to follow-up requests. */
export function occasionOf({ noticedAt, waiters, rescan }: Occasion): Occasion {
  return { noticedAt, waiters, rescan };
}

/** What to read because of an invalidation, given the current state. Pure. */
export function requestsFor(
  state: HostState,
  invalidation: Invalidation,
  occasion: Occasion,
): readonly Request[] {
  switch (invalidation.type) {
    case 'zone': {
      const { zonename, zoneid, newstate, readings } = invalidation;
      const isKnown = state.zones.get(zonename) !== undefined;
      if (readings !== undefined && isKnown)
        return [{ ...zoneRequest(zonename, invalidation.inputs, occasion), lane: 'read-ahead', readings }];
      // A zone that is not known yet is read in full, whichever inputs are named.
      const inputs = isKnown ? invalidation.inputs : zoneInputs;
      const announced = newstate === undefined ? undefined : { newstate, since: state.clock.now, looks: 0 };
      return [{ ...zoneRequest(zonename, inputs, occasion), zoneid, announced }];
    }
    case 'dataset': {
      const { name, propertiesOnly = false } = invalidation;
      const use = state.index.use(datasetOf(name));
      if (use === 'delegated' || use === 'foreign') return [];
      if (use === 'unused')
        return datasetRequests('unused', [{ name: datasetOf(name), whole: true }], occasion);
      return datasetRequests('dataset', listAgain(state, name, propertiesOnly), occasion);
    }
    case 'descendants': {
      const reason = `${invalidation.dataset} changed`;
      return state.index.hasUsedBelow(invalidation.dataset)
        ? [{ ...occasionOf(occasion), lane: 'rescan', scope: 'datasets', reason }]
        : [];
    }
    case 'everything':
      return [{ ...noOccasion, lane: 'rescan', scope: 'everything', reason: invalidation.reason }];
    case 'sysinfo':
      return [{ ...occasionOf(occasion), lane: 'sysinfo' }];
    case 'files-replaced':
      return []; // The files are watched again; their source then names those that changed.
  }
}
