/**
 * What is asked to be read, by whom, and how two requests of the same become one. Each lane reads by its own means and
 * waits for no other: files; zones by zoneadm and kstat; datasets by zfs; datasets that nobody waits for; and rescans.
 */
import type { Invalidation } from '../sources/invalidation.js';
import { datasetOf } from '../vm/dataset-names.js';
import { zoneInputs, type ZoneInput } from '../vm/inputs.js';
import { listAgain, type ListingNeed } from '../vm/listing-needs.js';
import type { Rescan } from './rescan.js';
import type { HostState } from './state.js';

/** Whoever waits until all that is read for it is in the state, or on record as failed. */
export interface Waiter {
  /** A request more to wait for. */
  began(): void;
  /** A request less. */
  ended(): void;
  /** That a zone exists could neither be confirmed nor denied. */
  failed?(error: Error): void;
}

/** Why something is read. It comes back with what was read, and goes on with what follows from that. */
export interface Occasion {
  /** When a source first said that this may be stale, as `performance.now()`; `undefined` when none did. */
  readonly noticedAt: number | undefined;
  /** As often as there are requests of theirs in this one. */
  readonly waiters: readonly Waiter[];
  /** The rescan that it is part of: what that finds, and no source had said, was missed. */
  readonly rescan?: Rescan | undefined;
}

/** Nobody in particular asks. */
export const noOccasion: Occasion = { noticedAt: undefined, waiters: [] };

/** A state that a zone sysevent announced, which zoneadm may show only a moment later. */
export interface Announcement {
  readonly newstate: string;
  /** The clock when it came: what began to be read before says nothing of it. */
  readonly since: number;
  /** How often zoneadm was asked and did not show it. */
  readonly looks: number;
}

/** Read these inputs of this zone; without any, assemble it again. */
export interface ZoneRequest extends Occasion {
  readonly lane: 'files' | 'zone';
  readonly zonename: string;
  readonly inputs: ReadonlySet<ZoneInput>;
  /** The number of its kernel instance, as last heard. */
  readonly zoneid?: number | undefined;
  readonly announced?: Announcement | undefined;
  /** Which look for its XML this is, which was not there: 1, 2, … Other readings of it are no such looks. */
  readonly look?: number | undefined;
}

/** List this dataset or snapshot. */
export interface DatasetRequest extends Occasion, ListingNeed {
  /** `dataset`: a VM shows it · `unused`: none does · `below`: too deep for the listing of everything. */
  readonly lane: 'dataset' | 'unused' | 'below';
  /** A listing that it had part in went wrong: it must not take others down with it. */
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

/** By which means something is read; see lanes.ts. */
export type LaneName = Request['lane'];

/** What makes two requests of a lane the same. */
export function keyOf(request: Request): string {
  if ('zonename' in request) return request.zonename;
  return 'name' in request ? request.name : request.lane;
}

/** One request for what two of the same lane and key ask for, and for everyone who waits for either. */
export function mergeRequests<R extends Request>(a: R, b: R): R {
  const merged = { ...b, ...mergeOccasions(a, b) };
  if ('inputs' in a && 'inputs' in b) {
    const inputs = new Set([...a.inputs, ...b.inputs]);
    return {
      ...merged,
      inputs,
      zoneid: b.zoneid ?? a.zoneid,
      announced: b.announced ?? a.announced,
      look: b.look ?? a.look,
    };
  }
  if ('whole' in a && 'whole' in b) {
    return { ...merged, whole: a.whole || b.whole, alone: a.alone || b.alone };
  }
  return 'scope' in a && a.scope === 'everything' ? { ...merged, scope: a.scope, reason: a.reason } : merged;
}

/** Why something is read that is asked for twice. */
export function mergeOccasions(a: Occasion, b: Occasion): Occasion {
  const times = [a.noticedAt, b.noticedAt].filter((time) => time !== undefined);
  return {
    noticedAt: times.length === 0 ? undefined : Math.min(...times),
    waiters: [...a.waiters, ...b.waiters],
    rescan: b.rescan ?? a.rescan,
  };
}

/** A request for inputs of a zone: for files alone no command is waited for. */
export function zoneRequest(zonename: string, inputs: Iterable<ZoneInput>, occasion: Occasion): ZoneRequest {
  const wanted = new Set(inputs);
  const lane = wanted.has('record') || wanted.has('kstat') ? 'zone' : 'files';
  return { ...occasionOf(occasion), lane, zonename, inputs: wanted };
}

/** Requests for datasets and snapshots. */
export function datasetRequests(
  lane: DatasetRequest['lane'],
  needs: readonly ListingNeed[],
  occasion: Occasion,
): readonly DatasetRequest[] {
  return needs.map((need) => ({ ...occasionOf(occasion), lane, ...need, alone: false }));
}

/** Why something is read, for what follows from it. */
export function occasionOf({ noticedAt, waiters, rescan }: Occasion): Occasion {
  return { noticedAt, waiters, rescan };
}

/** What to read because of an invalidation, as things stand. Pure. */
export function requestsFor(
  state: HostState,
  invalidation: Invalidation,
  occasion: Occasion,
): readonly Request[] {
  switch (invalidation.type) {
    case 'zone': {
      const { zonename, zoneid, newstate } = invalidation;
      // A zone that is not known yet is read whole, whatever is named.
      const inputs = state.zones.has(zonename) ? invalidation.inputs : zoneInputs;
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
      return state.index.hasRootsBelow(invalidation.dataset)
        ? [{ ...occasionOf(occasion), lane: 'rescan', scope: 'datasets', reason }]
        : [];
    }
    case 'everything':
      return [{ ...noOccasion, lane: 'rescan', scope: 'everything', reason: invalidation.reason }];
    case 'sysinfo':
      return [{ ...occasionOf(occasion), lane: 'sysinfo' }];
    case 'files-replaced':
      return []; // The files are watched anew, and then their source names them.
  }
}
