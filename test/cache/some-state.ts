/** A state, and the facts that produce it, for tests of requests and of `take`. */
import { pino } from 'pino';
import type { Fact } from '../../lib/cache/facts.js';
import {
  datasetRequests,
  noOccasion,
  type DatasetRequest,
  type Occasion,
  type Request,
} from '../../lib/cache/requests.js';
import { Rescans } from '../../lib/cache/rescans.js';
import { HostState } from '../../lib/cache/state.js';
import { take, type Taken } from '../../lib/cache/take.js';
import { VmStore } from '../../lib/cache/vm-store.js';
import type { ZoneReadings } from '../../lib/host/read-zone.js';
import type { InputValues, ZoneInput } from '../../lib/vm/inputs.js';
import { aDataset, someInputs, someUuid } from '../vm/factories.js';

export const someRoot = `zones/${someUuid}`;

const silent = pino({ level: 'silent' });

/** Values of inputs as read well; an Error is one that could not be read. */
export type SomeValues = { readonly [I in ZoneInput]?: InputValues[I] | Error };

export interface SomeState {
  readonly state: HostState;
  readonly rescans: Rescans;
  readonly take: (fact: Fact) => Taken;
  /** Takes in what a reading of the zone that began then gave. */
  readonly zone: (readAt: number, values: SomeValues, origin?: Partial<Fact> & Partial<Occasion>) => Taken;
  /** Takes in a listing of datasets that began then, which answers these requests. */
  readonly datasets: (
    readAt: number,
    overrides: Partial<Extract<Fact, { type: 'datasets' }>['listing']>,
    ends?: readonly Request[],
  ) => Taken;
}

/** Nothing is known. */
export function anEmptyState(): SomeState {
  const state = new HostState(new VmStore(), silent);
  const rescans = new Rescans(silent);
  const takeFact = (fact: Fact) => take(state, rescans, fact);
  return {
    state,
    rescans,
    take: takeFact,
    zone: (readAt, values, { noticedAt, waiters = [], rescan, ...origin } = {}) => {
      const readings: ZoneReadings = Object.fromEntries(
        Object.entries(values).map(([input, value]) => [
          input,
          value instanceof Error
            ? { type: 'failed', error: value }
            : { type: 'read', value, version: undefined },
        ]),
      );
      const occasion = { noticedAt, waiters, rescan };
      return takeFact({
        type: 'zone',
        zonename: someUuid,
        readings,
        readAt,
        occasion,
        ends: [],
        ...origin,
      } as Fact);
    },
    datasets: (readAt, overrides, ends = []) =>
      takeFact({
        type: 'datasets',
        listing: {
          top: someRoot,
          whole: [],
          rows: [],
          datasets: [],
          snapshots: new Map(),
          missing: [],
          ...overrides,
        },
        ...{ readAt, occasion: ends[0] ?? noOccasion, ends },
      }),
  };
}

/** One VM is known, whole, with a quota of 10 GiB, and the first load is done. */
export function aState(): SomeState {
  const some = anEmptyState();
  const { record, xml } = someInputs();
  some.zone(1, { record, kstat: undefined });
  some.zone(1, { xml, metadata: undefined, tags: undefined, routes: undefined, lastexited: undefined });
  const datasets = [aDataset({ name: someRoot, mountpoint: record.zonepath, quota: 10 * 2 ** 30 })];
  some.datasets(1, { whole: [someRoot], datasets });
  const listed = {
    type: 'listed',
    what: 'zfs list',
    names: new Set([someRoot]),
    unreadable: new Set<string>(),
  } as const;
  const { followUps } = some.take({ ...listed, errors: [], readAt: 1, occasion: noOccasion, ends: [] });
  for (const { request } of followUps) {
    if ('zonename' in request) some.zone(1, {});
  }
  some.state.store.loaded();
  return some;
}

/** Requests without their waiters. */
export function plain(requests: readonly Request[]): unknown {
  return requests.map(({ noticedAt: _noticedAt, waiters: _waiters, rescan: _rescan, ...request }) =>
    'inputs' in request ? { ...request, inputs: [...request.inputs].sort() } : request,
  );
}

/** A request for a dataset that a VM shows. */
export function aRequest(name: string, whole: boolean, occasion: Occasion): DatasetRequest {
  const [request] = datasetRequests('dataset', [{ name, whole }], occasion);
  if (request === undefined) throw new Error('one need is one request');
  return request;
}
