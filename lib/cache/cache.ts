/**
 * The cache of VM objects. Invalidations go in; each is answered by reading again what it names, and what comes of
 * that is in the snapshot and in the stream of commits. What is read how is the business of the lanes.
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import {
  EMPTY,
  Subject,
  asapScheduler,
  defer,
  filter,
  finalize,
  first,
  firstValueFrom,
  ignoreElements,
  interval,
  map,
  merge,
  mergeMap,
  observeOn,
  of,
  repeat,
  switchMap,
  take,
  tap,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import { backoffLimits, heldInvalidations, loadErrorTickMs } from '../config.js';
import type { Host } from '../host/host.js';
import { isZonename } from '../host/paths.js';
import type { WatchRequest } from '../sources/file-events.js';
import { zoneInputs, type Invalidation } from '../sources/invalidation.js';
import { backoff } from '../sources/restarting.js';
import type { QueueLength } from './coalesce.js';
import { hold } from './hold.js';
import type { EventLog } from './event-log.js';
import { HostState } from './host-state.js';
import { serveRequests, type Outcome, type Reload } from './lanes.js';
import type { FailingInput, LoadError } from './load-errors.js';
import { datasetLane } from './reload-datasets.js';
import { zoneLane, type ZoneOutcome } from './reload-zones.js';
import type { Sysinfo } from '../vm/inputs.js';
import { createNotices } from './notices.js';
import { requestsFor, type Request } from './requests.js';
import { createRescanner } from './rescan.js';
import type { RescanReport } from './rescan-report.js';
import { createRescanLog, type RescanLog } from './rescan-log.js';
import { eachInSlices } from './slices.js';
import { createVmStore, type Commit, type Snapshot } from './vm-store.js';

/** A request for a fresh reading was not served in time. */
export class SyncTimeoutError extends Error {
  override readonly name = 'SyncTimeoutError';
  readonly zonename: string;

  constructor(zonename: string, timeoutMs: number, options?: ErrorOptions) {
    super(`zone ${zonename} was not read again within ${timeoutMs / 1000} s`, options);
    this.zonename = zonename;
  }
}

/** What `/status` shows of the cache. */
export interface CacheStatus {
  /** What the first load waits for; empty when it is done. */
  readonly awaiting: readonly string[];
  readonly queue: QueueLength;
  readonly rescans: Omit<RescanLog, 'add'>;
  readonly loadErrors: readonly LoadError[];
}

export interface CacheOptions {
  readonly host: Host;
  readonly log: Logger;
  /** Called after each reload, e.g. for metrics. It must not throw. */
  readonly onReload?: (reload: Reload) => void;
}

/** The cache. */
export interface VmCache {
  /** A UUID per start: `seq` counts within it. */
  readonly instance: string;
  readonly snapshot: Observable<Snapshot> & { readonly value: Snapshot };
  /** Every change after the first load, in order, once it is in the snapshot. Completes when the cache is stopped. */
  readonly commits: Observable<Commit>;
  /** The last of them. */
  readonly eventLog: EventLog;
  /** Which zones' files the cache wants to hear of. */
  readonly watchRequests: Observable<WatchRequest>;
  /**
   * Keeps the cache true while subscribed. `live` emits when the sources are: then the first load begins. Emits nothing;
   * an error is a bug, not a trouble of the host.
   */
  keep(invalidations: Observable<Invalidation>, live: Observable<unknown>): Observable<never>;
  /**
   * Reads a zone afresh. When it resolves, all that was so before the call is in the snapshot, or on record as a load error.
   *
   * @throws SyncTimeoutError
   */
  sync(zonename: string, timeoutMs: number): Promise<void>;
  /** What sysinfo says of the host itself. */
  sysinfo(): Sysinfo;
  /** Why a zone is not in the snapshot, or not up to date. */
  loadErrors(zonename: string): readonly LoadError[];
  status(): CacheStatus;
}

/** An empty cache. */
export function createCache({ host, log, onReload }: CacheOptions): VmCache {
  const notices = createNotices();
  const store = createVmStore(notices.take);
  const watchRequests = new Subject<WatchRequest>();
  const state = new HostState({ store, watchRequests, log });
  const zones = zoneLane(host, state);
  const datasets = datasetLane(host, state);
  const rescanner = createRescanner({ host, state, zoneLane: zones, datasetLane: datasets });
  const rescans = createRescanLog(log);
  const asked = new Subject<Invalidation>();
  const again = new Subject<{ readonly invalidation: Invalidation; readonly afterMs: number }>();
  /** How many rescans in a row have failed. */
  const failedRescans = new Subject<number>();
  const settled = new Subject<Settled>();
  const queues = new Map<string, QueueLength>();
  let stage: 'sources' | 'load' | 'done' = 'sources';
  let failuresInARow = 0;
  /** Invalidations that wait for their time. */
  let repeats = 0;

  const lanes = serveRequests({
    host,
    state,
    zones,
    datasets,
    rescanner,
    rescans,
    onQueue: (lane, queue) => queues.set(lane, queue),
    onReload,
  });

  /**
   * The first load. It is repeated until zoneadm and zfs answer, or nobody wants it any more: to end instead would put
   * the service into maintenance.
   */
  const load = () => {
    stage = 'load';
    return defer(readEverything).pipe(
      repeat({ delay: (failures) => timer(backoff(failures, backoffLimits.minMs, backoffLimits.maxMs)) }),
      first(({ complete }) => complete),
      mergeMap(finishLoad, 1),
    );
  };

  const readEverything = async () => {
    const started = new Date();
    const report = await rescanner.rescan('everything');
    rescans.add('first load', started, report);
    return report;
  };

  const finishLoad = async (report: RescanReport) => {
    for (const each of [...report.again, ...(await rescanner.listDeep())]) again.next(each);
    state.isLoading = false;
    await eachInSlices(state.zones.names(), 1, (zonename) => void state.commit(zonename));
    stage = 'done';
    store.loaded();
  };

  /** What an invalidation asks to be read. What needs no reading is done at once. */
  const requests = (invalidation: Invalidation): readonly Request[] => {
    const named = [...zonesNamed(state, invalidation)];
    for (const zonename of named) notices.notice(zonename, performance.now());
    switch (invalidation.type) {
      case 'dataset-gone':
        state.forgetDataset(invalidation.name);
        break;
      case 'files-replaced':
        for (const zonename of state.index.zonesOf(invalidation.dataset)) state.rearm(zonename);
        break;
      case 'zone':
        if (invalidation.newstate !== undefined) zones.expect(invalidation.zonename, invalidation.newstate);
        break;
      default:
    }
    const made = requestsFor(state, invalidation);
    if (made.length === 0) for (const zonename of named) notices.settle(zonename);
    return made;
  };

  const handle = (outcome: Outcome) => {
    switch (outcome.type) {
      case 'again':
        for (const zonename of zonesNamed(state, outcome.invalidation)) notices.keep(zonename);
        again.next(outcome);
        break;
      case 'settled':
        if ('zonename' in outcome) {
          notices.settle(outcome.zonename);
          settled.next(outcome);
        } else {
          for (const zonename of state.index.zonesOf(outcome.request.name)) notices.settle(zonename);
        }
        break;
      case 'rescanned': {
        outcome.report.again.forEach((each) => {
          again.next(each);
        });
        watchRequests.next({ type: 'mend' });
        failuresInARow = outcome.report.complete ? 0 : failuresInARow + 1;
        failedRescans.next(failuresInARow);
      }
    }
  };

  /** As many at a time as there are zones and datasets in trouble: each has one at most. */
  const repeated = again.pipe(
    mergeMap(({ invalidation, afterMs }) => {
      if (afterMs === 0) return of(invalidation);
      repeats++;
      return timer(afterMs).pipe(
        map(() => invalidation),
        finalize(() => repeats--),
      );
    }),
  );

  /** One at most, however many have failed: each that ends puts off or calls off the next. */
  const rescanAgain = failedRescans.pipe(
    switchMap((failures) =>
      failures === 0 ? EMPTY : timer(backoff(failures, backoffLimits.minMs, backoffLimits.maxMs)),
    ),
    map((): Invalidation => ({ type: 'everything', reason: 'the last one failed' })),
  );

  const overdue = interval(loadErrorTickMs).pipe(
    mergeMap(() => state.errors.due(Date.now()), 1),
    mergeMap(({ zone, input }) => invalidationsOf(state, zone, input), 1),
  );

  return {
    instance: randomUUID(),
    snapshot: store.snapshot,
    commits: store.commits,
    eventLog: store.log,
    watchRequests,
    sysinfo: () => state.sysinfo,
    loadErrors: (zonename) => state.errors.of(zonename),
    status: () => ({
      awaiting: stage === 'sources' ? ['sources'] : stage === 'load' ? rescanner.awaiting() : [],
      queue: [...queues.values()].reduce(
        (a, b) => ({ pending: a.pending + b.pending, queued: a.queued + b.queued }),
        { pending: 0, queued: repeats },
      ),
      rescans,
      loadErrors: state.errors.list(),
    }),
    sync: async (zonename, timeoutMs) => {
      if (!isZonename(zonename)) return; // There is no such zone, and there is nothing to ask for.
      const since = state.clock.tick();
      const done = firstValueFrom(
        settled.pipe(
          filter((outcome) => outcome.zonename === zonename && outcome.readAt > since),
          timeout({ first: timeoutMs }),
        ),
      );
      asked.next({ type: 'zone', zonename, inputs: zoneInputs, datasets: true });
      await done.catch((cause: unknown) => {
        throw new SyncTimeoutError(zonename, timeoutMs, { cause });
      });
    },
    keep: (invalidations, live) => {
      const loaded = store.snapshot.pipe(filter((snapshot) => snapshot.loaded));
      // The first load reads everything, so what asks for that before it has begun is answered by it.
      const news = invalidations.pipe(filter(({ type }) => type !== 'everything' || stage !== 'sources'));
      return merge(
        // After the turn, so that what the last source said when it became live counts as said before.
        live.pipe(take(1), observeOn(asapScheduler), mergeMap(load, 1)),
        merge(news, asked, repeated, rescanAgain, overdue).pipe(
          hold<Invalidation>({
            until: loaded,
            key: (invalidation) => JSON.stringify(invalidation),
            overflow: heldInvalidations,
          }),
          mergeMap(requests, 1),
          lanes,
          tap(handle),
        ),
      ).pipe(
        ignoreElements(),
        finalize(() => {
          store.close();
        }),
      );
    },
  };
}

type Settled = Extract<ZoneOutcome, { readonly type: 'settled' }>;

/** The zones that an invalidation is about, for those that are about a few. */
function zonesNamed(state: HostState, invalidation: Invalidation): Iterable<string> {
  switch (invalidation.type) {
    case 'zone':
      return [invalidation.zonename];
    case 'dataset':
    case 'dataset-gone':
      return state.index.zonesOf(invalidation.name);
    default:
      return [];
  }
}

/** What to read again because an input of a zone could not be read. */
function invalidationsOf(state: HostState, zonename: string, input: FailingInput): readonly Invalidation[] {
  // By a record that shows another zoneid the kstat is stale too.
  if (input === 'record') return [{ type: 'zone', zonename, inputs: ['record', 'kstat'] }];
  if (input !== 'datasets') return [{ type: 'zone', zonename, inputs: [input] }];
  const names = state.index.dependencies(zonename)?.datasets ?? [];
  return names.length === 0
    ? [{ type: 'zone', zonename, inputs: zoneInputs }]
    : names.map((name) => ({ type: 'dataset', name }));
}
