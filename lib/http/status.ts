/** The answer to `/status`: the fields of the platform's vminfod in its format, plus our own, as in vminfod(8). Pure. */
import type { CacheStatus } from '../cache/cache.js';
import type { CacheSnapshot } from '../cache/vm-store.js';
import type { SinkStatus } from '../sink.js';
import type { ConnectionsStatus } from './connections.js';
import type { Listeners } from './listeners.js';
import { hrtime, prettyDuration, shortDuration } from './duration.js';

/** Facts about the daemon's own process. */
export interface ProcessStatus {
  readonly pid: number;
  readonly uptimeNs: bigint;
  /** The monotonic clock: process.hrtime.bigint(). */
  readonly monotonicNs: bigint;
  readonly memory: NodeJS.MemoryUsage;
  readonly now: Date;
}

/** The number of paths watched for file events. */
export interface Watches {
  readonly watching: readonly string[];
  readonly notWatching: readonly string[];
}

/** The state of the threads that read and watch files. */
export interface FileThreadsStatus {
  readonly threads: number;
  readonly stuck: number;
  /** Zones whose files do not answer. */
  readonly hung: readonly { readonly zonename: string; readonly since: string }[];
  /** So many hang that all zones' files wait. */
  readonly stalled: boolean;
}

/** What this process says of itself. `startedAt`: by process.hrtime. */
export function processStatus(startedAt: bigint): ProcessStatus {
  const monotonicNs = process.hrtime.bigint();
  return {
    pid: process.pid,
    uptimeNs: monotonicNs - startedAt,
    monotonicNs,
    memory: process.memoryUsage(),
    now: new Date(),
  };
}

export interface StatusInputs {
  readonly process: ProcessStatus;
  readonly snapshot: CacheSnapshot;
  readonly cache: CacheStatus;
  /** How often everything is read afresh. */
  readonly rescanIntervalMs: number;
  /** Each source's own report. */
  readonly sources: readonly object[];
  readonly listeners: Pick<Listeners, 'list' | 'overflows' | 'crowd'>;
  /** By where it listens. */
  readonly connections: Readonly<Record<string, ConnectionsStatus>>;
  /** A UUID per start of the daemon. */
  readonly instance: string;
  /** Whether the log can be written. */
  readonly log: SinkStatus;
  readonly files: FileThreadsStatus;
  /** Only for the full answer, which also has the log of rescans. */
  readonly watches: Watches | undefined;
}

/** The whole answer. */
export function status(inputs: StatusInputs): object {
  const { process, snapshot, cache, rescanIntervalMs, sources, listeners, instance, log, files, watches } =
    inputs;
  const { connections } = inputs;
  const { now } = process;
  const { pending, queued } = cache.queue;
  const last = cache.rescans.records.at(-1);
  const isIdle = pending + queued === 0;
  const ago = (ns: bigint) => shortDuration(process.monotonicNs - ns);
  return {
    pid: process.pid,
    uptime: prettyDuration(process.uptimeNs),
    memory: process.memory,
    state: snapshot.loaded ? 'running' : 'booting',
    status: snapshot.loaded ? (isIdle ? 'idle' : 'working') : `waiting for ${cache.awaiting.join(', ')}`,
    awaiting: cache.awaiting,
    numVms: snapshot.vms.size,
    rescanIntervalMs,
    curDate: now.toISOString(),
    curTime: hrtime(process.monotonicNs),
    queue: {
      now: hrtime(process.monotonicNs),
      paused: !snapshot.loaded,
      idle: isIdle,
      vasync_queue: { concurrency: 1, npending: pending, nqueued: queued, pending: {}, queued: [] },
    },
    lastRefresh: last === undefined ? null : prettyDuration(process.monotonicNs - last.endedNs),
    refreshErrors: cache.rescans.failures.map(({ error, problem, endedNs }) => ({
      err: error,
      problem,
      time: dateOf(endedNs, process).toISOString(),
      ago: ago(endedNs),
    })),
    eventsListeners: Object.fromEntries(
      listeners.list().map(({ uuid, userAgent, createdNs, request, unsentBytes }) => [
        uuid,
        {
          userAgent,
          createdTime: dateOf(createdNs, process).getTime(),
          createdDate: dateOf(createdNs, process).toISOString(),
          createdAgo: ago(createdNs),
          query: request.query,
          unsentBytes,
        },
      ]),
    ),
    instance,
    seq: snapshot.seq,
    overflows: listeners.overflows,
    listeners: listeners.crowd(),
    connections,
    sources,
    log,
    files,
    loadErrors: cache.loadErrors,
    missed: cache.rescans.found,
    ...(watches !== undefined && {
      refreshLog: refreshLog(cache, process),
      fswatcher: {
        running: true,
        watcher_pid: null,
        watching: watches.watching,
        not_yet_watching: watches.notWatching,
        pending_actions: {},
      },
    }),
  };
}

/**
 * When something happened, by the clock as it is now. Ages and dates go by the monotonic clock, so that they stay true, and
 * fit each other, when somebody sets the clock.
 */
function dateOf(ns: bigint, { now, monotonicNs }: ProcessStatus): Date {
  return new Date(now.getTime() - Number(monotonicNs - ns) / 1e6);
}

function refreshLog({ rescans }: CacheStatus, process: ProcessStatus): readonly object[] {
  return rescans.records.map(({ startedNs, endedNs, reason, found }) => ({
    reason,
    cacheChanges: found.map(({ source, event }) => ({ source, zonename: event.zonename })),
    vmChanges: found.map(({ event }) => ({
      zonename: event.zonename,
      action: event.type,
      ...(event.type === 'modify' && { changes: event.changes }),
    })),
    started: dateOf(startedNs, process).toISOString(),
    ended: dateOf(endedNs, process).toISOString(),
    took: prettyDuration(endedNs - startedNs),
    endedAgo: shortDuration(process.monotonicNs - endedNs),
  }));
}
