/**
 * The daemon's work as one stream, from invalidations to changes of VMs. Everything that is read and everything that is
 * learned passes through here: facts in, commits out.
 */
import {
  Observable,
  Subject,
  asapScheduler,
  defer,
  filter,
  map,
  merge,
  mergeMap,
  observeOn,
  take as first,
  tap,
  timer,
} from 'rxjs';
import { heldInvalidations, rescanLog } from '../config.js';
import type { WatchRequest } from '../sources/file-events.js';
import type { Invalidation } from '../sources/invalidation.js';
import { datasetOf } from '../vm/dataset-names.js';
import type { QueueLength } from '../operators/coalesce.js';
import type { Fact } from './facts.js';
import { delayEach, hold } from '../operators/hold.js';
import { inLanes, type LanesOptions } from './lanes.js';
import { keyOf, mergeRequests, noOccasion, requestsFor, type LaneName, type Request } from './requests.js';
import type { Rescan } from './rescan.js';
import type { Rescans } from './rescans.js';
import type { HostState } from './state.js';
import { take, type FollowUp } from './take.js';
import type { Commit } from './vm-store.js';

export interface PipelineOptions extends Omit<LanesOptions, 'beginRescan'> {
  readonly rescans: Rescans;
  /** What may be stale, from the sources. */
  readonly invalidations: Observable<Invalidation>;
  /** Emits when the sources are live: then the first load begins. */
  readonly live: Observable<unknown>;
  /** Readings that consumers ask for. */
  readonly asked: Observable<Request>;
  /** Called with the zones whose files are to be watched, before these files are read. */
  readonly watch: (request: WatchRequest) => void;
  readonly onQueue: (lane: LaneName | 'delayed', queue: QueueLength) => void;
}

/** Every change of a VM, in order, once it is in the snapshot. An error is a bug, not a fault of the host. */
export function commitsOf(options: PipelineOptions): Observable<Commit> {
  const { host, state, rescans, invalidations, live, asked, watch, onQueue, onReload } = options;
  return defer(() => {
    const followUps = new Subject<FollowUp>();
    const rescansRead = new Subject<Rescan>();
    const loaded = state.store.snapshot.pipe(filter((snapshot) => snapshot.loaded));
    let isLoading = false;

    const firstLoad = live.pipe(
      first(1),
      // After the current turn, so that what the last source emits as it becomes live still counts as earlier.
      observeOn(asapScheduler),
      tap(() => {
        isLoading = true;
      }),
      map((): Request => ({ ...noOccasion, lane: 'rescan', scope: 'everything', reason: 'first load' })),
    );

    const said = invalidations.pipe(
      // The first load reads everything, so it answers any request for everything made before it begins.
      filter(({ type }) => type !== 'everything' || isLoading),
      // What is held grows old: it is read when it is released.
      map((each) => (state.isLoaded || each.type !== 'zone' ? each : { ...each, readings: undefined })),
      hold<Invalidation>({
        until: loaded,
        key: (invalidation) => JSON.stringify(invalidation),
        overflow: heldInvalidations,
      }),
      mergeMap((invalidation) => requestsOf(state, rescans, invalidation, watch), 1),
    );

    const following = followUps.pipe(
      delayEach<FollowUp>({
        key: keyOfFollowUp,
        merge: (waiting, next) => ({ ...next, request: mergeRequests(waiting.request, next.request) }),
        counts: isWaitedFor,
        onWaiting: (queued) => {
          onQueue('delayed', { pending: 0, queued });
        },
      }),
      filter(
        ({ retries }) => retries === undefined || state.errors.has(retries.zone, retries.input, retries.name),
      ),
      map(({ request }) => request),
      // Listeners are told of what a reading found before what follows from it is read.
      observeOn(asapScheduler),
    );

    const read = merge(firstLoad, said, asked, following).pipe(
      inLanes({
        ...{ host, state, onQueue, onReload },
        beginRescan: (request) =>
          rescans.begin(request, (rescan) => {
            rescansRead.next(rescan);
          }),
      }),
    );

    const rescansEnded = rescansRead.pipe(
      mergeMap((rescan) => {
        // A source may report a moment later what the rescan found: then it was not missed.
        const graceMs = state.isLoaded && rescan.found.length > 0 ? rescanLog.graceMs : 0;
        const ended = { type: 'rescan-ended', rescan, readAt: 0, occasion: noOccasion, ends: [] } as const;
        return timer(graceMs).pipe(map((): Fact => ended));
      }),
    );

    return merge(read, rescansEnded).pipe(
      map((fact) => {
        const taken = take(state, rescans, fact);
        state.prune();
        taken.watches.forEach(watch);
        for (const followUp of taken.followUps) {
          for (const waiter of followUp.request.waiters) waiter.began();
          followUps.next(followUp);
        }
        for (const request of fact.ends) for (const waiter of request.waiters) waiter.ended();
        return taken.commits;
      }),
      // Nearly all that a rescan reads is as it was.
      filter((commits) => commits.length > 0),
      mergeMap((commits) => commits),
    );
  });
}

/** What to read because of an invalidation. If all files of a zone were replaced, they are watched again. */
function requestsOf(
  state: HostState,
  rescans: Rescans,
  invalidation: Invalidation,
  watch: (request: WatchRequest) => void,
): readonly Request[] {
  const zonenames = [...zonesNamed(state, invalidation)];
  if (invalidation.type === 'files-replaced')
    for (const zonename of zonenames) watch({ type: 'rearm', zonename });
  const source = invalidation.type === 'zone' ? invalidation.source : 'zfs-events';
  const waiters = zonenames.length === 0 ? [] : [rescans.told(source, zonenames)];
  const requests = requestsFor(state, invalidation, { noticedAt: performance.now(), waiters });
  for (const request of requests) for (const waiter of request.waiters) waiter.began();
  return requests;
}

/** The zones that an invalidation is about, if it is about only a few. */
function zonesNamed(state: HostState, invalidation: Invalidation): Iterable<string> {
  switch (invalidation.type) {
    case 'zone':
      return [invalidation.zonename];
    case 'dataset':
      return state.index.zonesOf(datasetOf(invalidation.name));
    case 'files-replaced':
      return state.index.zonesOf(invalidation.dataset);
    default:
      return [];
  }
}

/** Whether a request still belongs to what a source said, and is not just a retry of a failed reading. */
function isWaitedFor({ retries, request }: FollowUp): boolean {
  return retries === undefined && request.lane !== 'rescan';
}

/** Only one attempt is pending per zone, and one retry for each of its inputs that cannot be read. */
function keyOfFollowUp({ request, retries }: FollowUp): string {
  return [request.lane, keyOf(request), retries?.zone, retries?.input].join(' ');
}
