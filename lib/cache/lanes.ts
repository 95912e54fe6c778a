/**
 * The lanes: how each kind of request is read, and how many at a time. A lane that is busy or stuck does not hold up the
 * others.
 */
import { Observable, connect, filter, merge, type OperatorFunction } from 'rxjs';
import { reloads } from '../config.js';
import type { Host } from '../host/host.js';
import { coalesceWhileBusy, type QueueLength } from '../operators/coalesce.js';
import { zoneFiles } from '../vm/inputs.js';
import { isInstalled } from '../vm/newstate.js';
import type { Fact } from './facts.js';
import {
  datasetReading,
  everythingReading,
  readAheadReading,
  sysinfoReading,
  unusedReading,
  zoneReading,
  type Read,
  type WhereIs,
} from './readings.js';
import { keyOf, mergeRequests, type LaneName, type Request, type RescanRequest } from './requests.js';
import type { Rescan } from './rescan.js';
import type { HostState } from './state.js';

/** A finished reload: what a lane read in one run. */
export interface Reload {
  readonly lane: LaneName;
  readonly durationMs: number;
}

export interface LanesOptions {
  readonly host: Host;
  readonly state: HostState;
  /** Called when a rescan's reading begins. */
  readonly beginRescan: (request: RescanRequest) => Rescan;
  /** Called whenever the number of requests that a lane is reading, or that wait for it, changes. */
  readonly onQueue: (lane: LaneName, queue: QueueLength) => void;
  /** Called after each reading, e.g. for metrics. It must not throw. */
  readonly onReload?: ((reload: Reload) => void) | undefined;
}

interface Lane {
  /** Readings at a time. */
  readonly maxRuns: number;
  /** A reading older than this no longer makes others wait; 0: none ever makes others wait. */
  readonly slowAfterMs: number;
  /** Requests in one reading. */
  readonly maxBatch: number;
  /** Requests collect this long even when idle. */
  readonly delayMs?: number;
  readonly read: Read<never>;
}

function lanes({ host, state, beginRescan }: LanesOptions): Readonly<Record<LaneName, Lane>> {
  const { maxRuns, slowAfterMs, maxBatch, unusedDatasetDelayMs: delayMs } = reloads;
  const one = { maxRuns: 1, slowAfterMs: 0, maxBatch: 1 };
  const where = whereIn(state);
  return {
    // Readers of different zones' files share nothing, so they need not wait for one another.
    files: { maxRuns, slowAfterMs: 0, maxBatch, read: zoneReading(host, where) },
    'read-ahead': { maxRuns, slowAfterMs: 0, maxBatch, read: readAheadReading },
    zone: { maxRuns, slowAfterMs, maxBatch, read: zoneReading(host, where) },
    dataset: { maxRuns, slowAfterMs, maxBatch, read: datasetReading(host) },
    unused: { maxRuns, slowAfterMs, maxBatch: Infinity, delayMs, read: unusedReading(host) },
    below: { maxRuns, slowAfterMs, maxBatch, read: datasetReading(host) },
    sysinfo: { ...one, read: sysinfoReading(host) },
    rescan: { ...one, read: everythingReading(host, where, beginRescan) },
  };
}

function whereIn({ zones }: HostState): WhereIs {
  return (zonename) => {
    const zone = zones.get(zonename);
    return {
      zonepath: zone?.zonepath,
      isInstalled: isInstalled(zone?.known.record?.value),
      zoneid: zone?.known.kstat?.value?.zoneid,
      versions: Object.fromEntries(zoneFiles.map((file) => [file, zone?.known[file]?.version])),
    };
  };
}

/** From requests to facts. Never fails; unsubscribing abandons what is being read. */
export function inLanes(options: LanesOptions): OperatorFunction<Request, Fact> {
  const each = Object.entries(lanes(options)) as readonly [LaneName, Lane][];
  return connect((requests) =>
    merge(
      ...each.map(([name, lane]) =>
        requests.pipe(
          filter((request) => request.lane === name),
          coalesceWhileBusy<Request, Fact>({
            ...lane,
            key: keyOf,
            merge: mergeRequests,
            run: (batch) => reading(name, lane.read as Read<Request>, batch, options),
            settles: ({ ends }) => ends.map(keyOf),
            alone: (request) => 'alone' in request && request.alone,
            onQueue: options.onQueue.bind(undefined, name),
          }),
        ),
      ),
    ),
  );
}

/** One reading, with the clock's value at which it began. */
function reading(
  lane: LaneName,
  read: Read<Request>,
  batch: readonly Request[],
  { state, onReload }: LanesOptions,
): Observable<Fact> {
  return new Observable<Fact>((subscriber) => {
    const startedAt = performance.now();
    const readAt = state.clock.begin();
    const emit = (fact: Fact) => {
      subscriber.next(fact);
    };
    read(batch, readAt, emit).then(
      () => {
        onReload?.({ lane, durationMs: performance.now() - startedAt });
        subscriber.complete();
      },
      (error: unknown) => {
        subscriber.error(error);
      },
    );
    return () => {
      state.clock.end(readAt);
    };
  });
}
