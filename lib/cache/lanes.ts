/**
 * The lanes: how each kind of request is collected and served. A lane that is busy, or stuck, holds up no other.
 */
import { performance } from 'node:perf_hooks';
import {
  connect,
  filter,
  finalize,
  from,
  ignoreElements,
  merge,
  mergeMap,
  of,
  type Observable,
  type OperatorFunction,
} from 'rxjs';
import { reloads } from '../config.js';
import type { Host } from '../host/host.js';
import { readSysinfo } from '../host/sysinfo.js';
import type { DescendantsInvalidation } from '../sources/invalidation.js';
import { poolOf } from '../sources/zfs-invalidations.js';
import { coalesceWhileBusy, type QueueLength } from './coalesce.js';
import type { HostState } from './host-state.js';
import type { DatasetLane, DatasetOutcome } from './reload-datasets.js';
import type { ZoneLane, ZoneOutcome } from './reload-zones.js';
import {
  mergeRescanRequests,
  mergeZoneRequests,
  type DatasetRequest,
  type Request,
  type RescanRequest,
  type SysinfoRequest,
  type ZoneRequest,
} from './requests.js';
import type { Rescanner } from './rescan.js';
import type { RescanReport } from './rescan-report.js';
import type { RescanLog } from './rescan-log.js';
import { eachInSlices } from './slices.js';

/** What comes of a request. */
export type Outcome =
  | ZoneOutcome
  | DatasetOutcome
  | { readonly type: 'again'; readonly invalidation: DescendantsInvalidation; readonly afterMs: number }
  | { readonly type: 'rescanned'; readonly scope: RescanRequest['scope']; readonly report: RescanReport };

export interface LanesOptions {
  readonly host: Host;
  readonly state: HostState;
  readonly zones: ZoneLane;
  readonly datasets: DatasetLane;
  readonly rescanner: Rescanner;
  readonly rescans: RescanLog;
  readonly onQueue: (lane: Request['lane'], queue: QueueLength) => void;
  readonly onReload?: ((reload: Reload) => void) | undefined;
}

/** A reload that is over: what a lane read in one go. */
export interface Reload {
  readonly lane: Request['lane'];
  readonly durationMs: number;
}

/** Serves requests. Never fails; unsubscribing abandons what is being read. */
export function serveRequests(options: LanesOptions): OperatorFunction<Request, Outcome> {
  return connect((requests) =>
    merge(
      requests.pipe(inLane('files'), zoneRequests(options, 'files')),
      requests.pipe(inLane('zone'), zoneRequests(options, 'zone')),
      requests.pipe(inLane('dataset'), datasetRequests(options, 'dataset')),
      requests.pipe(inLane('unused'), datasetRequests(options, 'unused')),
      requests.pipe(inLane('rescan'), rescanRequests(options)),
      requests.pipe(inLane('sysinfo'), sysinfoRequests(options)),
    ),
  );
}

/** The same run, reported when it is over. */
function timed<T, R>(
  lane: Request['lane'],
  { onReload }: LanesOptions,
  run: (batch: readonly T[]) => Observable<R>,
): (batch: readonly T[]) => Observable<R> {
  if (onReload === undefined) return run;
  return (batch) => {
    const startedAt = performance.now();
    return run(batch).pipe(
      finalize(() => {
        onReload({ lane, durationMs: performance.now() - startedAt });
      }),
    );
  };
}

function inLane<R extends Request>(lane: R['lane']): OperatorFunction<Request, R> {
  return filter((request: Request): request is R => request.lane === lane);
}

function zoneRequests(options: LanesOptions, lane: 'files' | 'zone'): OperatorFunction<ZoneRequest, Outcome> {
  const { zones, onQueue } = options;
  return coalesceWhileBusy<ZoneRequest, Outcome>({
    key: ({ zonename }) => zonename,
    merge: mergeZoneRequests,
    run: timed(lane, options, (batch) => zones.run(batch)),
    settles: (outcome) =>
      outcome.type === 'settled' && 'zonename' in outcome ? outcome.zonename : undefined,
    maxRuns: reloads.maxRuns,
    // Files of different zones have nothing to share, so their readers need not wait for one another.
    slowAfterMs: lane === 'files' ? 0 : reloads.slowAfterMs,
    maxBatch: reloads.maxBatch,
    onQueue: (queue) => {
      onQueue(lane, queue);
    },
  });
}

function datasetRequests(
  options: LanesOptions,
  lane: 'dataset' | 'unused',
): OperatorFunction<DatasetRequest, Outcome> {
  const { datasets, onQueue } = options;
  return coalesceWhileBusy<DatasetRequest, Outcome>({
    key: ({ name }) => name,
    merge: (waiting) => waiting,
    run: timed(lane, options, (batch) =>
      lane === 'unused' && batch.length > reloads.maxUnusedDatasets ? of(allOf(batch)) : datasets.run(batch),
    ),
    alone: ({ name }) => datasets.isSuspect(name),
    maxRuns: reloads.maxRuns,
    slowAfterMs: reloads.slowAfterMs,
    maxBatch: lane === 'unused' ? Infinity : reloads.maxBatch,
    ...(lane === 'unused' && { delayMs: reloads.unusedDatasetDelayMs }),
    onQueue: (queue) => {
      onQueue(lane, queue);
    },
  });
}

/** So many datasets of no VM are not worth a listing each: their pools are listed, in the background. */
function allOf(batch: readonly DatasetRequest[]): Outcome {
  const dataset = poolOf(batch[0]?.name ?? '');
  return { type: 'again', invalidation: { type: 'descendants', dataset }, afterMs: 0 };
}

function rescanRequests(options: LanesOptions): OperatorFunction<RescanRequest, Outcome> {
  const { rescanner, rescans, onQueue } = options;
  const rescan = async ({ scope, reason }: RescanRequest): Promise<Outcome> => {
    const started = new Date();
    const report = await rescanner.rescan(scope);
    rescans.add(reason, started, report);
    return { type: 'rescanned', scope, report };
  };
  return coalesceWhileBusy<RescanRequest, Outcome>({
    key: ({ lane }) => lane,
    merge: mergeRescanRequests,
    run: timed('rescan', options, (batch) => from(batch).pipe(mergeMap(rescan, 1))),
    maxRuns: 1,
    slowAfterMs: 0,
    maxBatch: 1,
    onQueue: (queue) => {
      onQueue('rescan', queue);
    },
  });
}

function sysinfoRequests(options: LanesOptions): OperatorFunction<SysinfoRequest, never> {
  const { host, state, onQueue } = options;
  const reload = async () => {
    // Without the cache, or with one that cannot be read, the VMs keep what they have; the next rescan tells of it.
    const sysinfo = await readSysinfo(host).catch(() => undefined);
    if (sysinfo === undefined || !state.takeSysinfo(sysinfo)) return;
    await eachInSlices(state.zones.names(), 1, (zonename) => void state.commit(zonename));
  };
  return coalesceWhileBusy<SysinfoRequest, never>({
    key: ({ lane }) => lane,
    merge: (waiting) => waiting,
    run: timed('sysinfo', options, () => from(reload()).pipe(ignoreElements())),
    maxRuns: 1,
    slowAfterMs: 0,
    maxBatch: 1,
    onQueue: (queue) => {
      onQueue('sysinfo', queue);
    },
  });
}
