/**
 * The daemon's metrics. prom-client does the counting; it is loaded when somebody asks for metrics or enough measurements
 * have collected, so that it does not slow the start.
 */
import { performance } from 'node:perf_hooks';
import type { Reload } from '../cache/lanes.js';
import type { Commit } from '../cache/vm-store.js';
import { maxWaitingCounts } from '../config.js';
import type { CommandSample, Counters, MetricsState } from './prometheus.js';

/** The counters, and the methods by which the daemon's parts count. */
export interface Metrics {
  report(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** A source reported that something may be stale. */
  readonly invalidation: (source: string) => void;
  readonly reload: (reload: Reload) => void;
  readonly command: (run: CommandSample) => void;
  /** The lines of commits have been written to all listeners concerned: this many bytes. */
  readonly written: (commits: readonly Commit[], bytes: number) => void;
}

/** @param read Called when somebody asks for the metrics. */
export function createMetrics(read: () => MetricsState): Metrics {
  let counters: Counters | undefined;
  let loading: Promise<Counters> | undefined;
  let waiting: ((counters: Counters) => void)[] = [];

  const load = () =>
    (loading ??= import('./prometheus.js').then(({ createCounters }) => {
      const loaded = (counters = createCounters(read));
      for (const count of waiting) count(loaded);
      waiting = [];
      return loaded;
    }));
  const count = (add: (counters: Counters) => void) => {
    if (counters !== undefined) add(counters);
    else if (waiting.push(add) >= maxWaitingCounts) void load();
  };

  return {
    report: async () => (await load()).report(),
    invalidation: (source) => {
      count((all) => {
        all.invalidation(source);
      });
    },
    reload: ({ lane, durationMs }) => {
      count((all) => {
        all.reload(lane, durationMs);
      });
    },
    command: ({ command, durationMs, error }) => {
      const name = command.slice(command.lastIndexOf('/') + 1);
      count((all) => {
        all.command(name, durationMs, error?.code);
      });
    },
    written: (commits, bytes) => {
      const now = performance.now();
      // Not the commits themselves: waiting measurements must not keep old VMs in memory.
      const events = commits.map(({ event: { type }, noticedAt }) => ({
        type,
        latencyMs: noticedAt === undefined ? undefined : now - noticedAt,
      }));
      count((all) => {
        all.written(events, bytes);
      });
    },
  };
}
