/**
 * The daemon's work as one stream, from what sources say to what changed of the VMs. Everything that is read passes through
 * here, and everything that is learned: facts in, commits out.
 */
import {
  Observable,
  Subject,
  asapScheduler,
  defer,
  filter,
  from,
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
  /** What sources say. */
  readonly invalidations: Observable<Invalidation>;
  /** Emits when the sources are live: then the first load begins. */
  readonly live: Observable<unknown>;
  /** What consumers ask for. */
  readonly asked: Observable<Request>;
  /** Told which zones' files are to be watched, before these files are read. */
  readonly watch: (request: WatchRequest) => void;
  readonly onQueue: (lane: LaneName | 'delayed', queue: QueueLength) => void;
}

/** Every change of a VM, in order, once it is in the snapshot. An error is a bug, not a trouble of the host. */
export function commitsOf(options: PipelineOptions): Observable<Commit> {
  const { host, state, rescans, invalidations, live, asked, watch, onQueue, onReload } = options;
  return defer(() => {
    const followUps = new Subject<FollowUp>();
    const rescansRead = new Subject<Rescan>();
    const loaded = state.store.snapshot.pipe(filter((snapshot) => snapshot.loaded));
    let isLoading = false;

    const firstLoad = live.pipe(
      first(1),
      // After the turn, so that what the last source said when it became live counts as said before.
      observeOn(asapScheduler),
      tap(() => {
        isLoading = true;
      }),
      map((): Request => ({ ...noOccasion, lane: 'rescan', scope: 'everything', reason: 'first load' })),
    );

    const said = invalidations.pipe(
      // The first load reads everything, so what asks for that before it has begun is answered by it.
      filter(({ type }) => type !== 'everything' || isLoading),
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
        // What it found a source may tell of a moment later: then it was not missed.
        const graceMs = state.isLoaded && rescan.found.length > 0 ? rescanLog.graceMs : 0;
        const ended = { type: 'rescan-ended', rescan, readAt: 0, occasion: noOccasion, ends: [] } as const;
        return timer(graceMs).pipe(map((): Fact => ended));
      }),
    );

    return merge(read, rescansEnded).pipe(
      mergeMap((fact) => {
        const taken = take(state, rescans, fact);
        state.prune();
        taken.watches.forEach(watch);
        for (const followUp of taken.followUps) {
          for (const waiter of followUp.request.waiters) waiter.began();
          followUps.next(followUp);
        }
        for (const request of fact.ends) for (const waiter of request.waiters) waiter.ended();
        return from(taken.commits);
      }),
    );
  });
}

/** What to read because of an invalidation. The files of a zone that were replaced as a whole are watched anew. */
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

/** The zones that an invalidation is about, for those that are about a few. */
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

/** Whether something is still to come of what was said, or it is but the next try of what failed. */
function isWaitedFor({ retries, request }: FollowUp): boolean {
  return retries === undefined && request.lane !== 'rescan';
}

/** Each zone has one look to come, and each input that cannot be read one try. */
function keyOfFollowUp({ request, retries }: FollowUp): string {
  return [request.lane, keyOf(request), retries?.input].join(' ');
}
