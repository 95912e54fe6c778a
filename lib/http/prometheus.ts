/**
 * The metrics for Prometheus, with prom-client. Counting costs about a microsecond; values that are part of the daemon's
 * state are read only on request.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CacheStatus } from '../cache/cache.js';
import type { CacheSnapshot } from '../cache/vm-store.js';
import type { SinkStatus } from '../sink.js';
import type { Listeners } from './listeners.js';

/** The values read from the daemon on request. */
export interface MetricsState {
  readonly snapshot: CacheSnapshot;
  readonly cache: CacheStatus;
  readonly listeners: Listeners;
  readonly sources: readonly { readonly name: string; readonly state: string; readonly restarts: number }[];
  readonly log: SinkStatus;
  readonly files: { readonly threads: number; readonly hung: readonly unknown[] };
}

/** A command that was run. */
export interface CommandSample {
  readonly command: string;
  readonly durationMs: number;
  readonly error?: { readonly code: string };
}

/** The counters. */
export interface Counters {
  report(): Promise<{ readonly contentType: string; readonly text: string }>;
  invalidation(source: string): void;
  reload(lane: string, durationMs: number): void;
  /** @param failure Why it gave no answer. */
  command(name: string, durationMs: number, failure: string | undefined): void;
  /** @param latencyMs Unknown for a change that no source reported. */
  written(
    events: readonly { readonly type: string; readonly latencyMs: number | undefined }[],
    bytes: number,
  ): void;
}

/** @param read Called when somebody asks for the metrics. */
export function createCounters(read: () => MetricsState): Counters {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const events = new Counter({
    name: 'vminfod_events_total',
    help: 'Events, by type.',
    labelNames: ['type'],
    registers,
  });
  const latency = new Histogram({
    name: 'vminfod_event_latency_seconds',
    help: 'From a source saying that a VM may have changed to the line written to every listener.',
    buckets: seconds,
    registers,
  });
  const invalidations = new Counter({
    name: 'vminfod_invalidations_total',
    help: 'What sources said may be stale, by source.',
    labelNames: ['source'],
    registers,
  });
  const reloads = new Histogram({
    name: 'vminfod_reload_duration_seconds',
    help: 'How long it took to read what may be stale, by what is read.',
    labelNames: ['lane'],
    buckets: seconds,
    registers,
  });
  const commands = new Histogram({
    name: 'vminfod_command_duration_seconds',
    help: 'How long commands ran.',
    labelNames: ['command'],
    buckets: seconds,
    registers,
  });
  const failures = new Counter({
    name: 'vminfod_command_failures_total',
    help: 'Commands that gave no answer, by why.',
    labelNames: ['command', 'code'],
    registers,
  });
  const writtenBytes = new Counter({
    name: 'vminfod_listener_bytes_total',
    help: 'Bytes of events written to listeners, snapshots and missed events not counted.',
    registers,
  });
  registerState(registry, read);

  return {
    report: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    invalidation: (source) => {
      invalidations.inc({ source });
    },
    reload: (lane, durationMs) => {
      reloads.observe({ lane }, durationMs / 1000);
    },
    command: (command, durationMs, failure) => {
      commands.observe({ command }, durationMs / 1000);
      if (failure !== undefined) failures.inc({ command, code: failure });
    },
    written: (written, bytes) => {
      writtenBytes.inc(bytes);
      for (const { type, latencyMs } of written) {
        events.inc({ type });
        if (latencyMs !== undefined) latency.observe(latencyMs / 1000);
      }
    },
  };
}

/** From half a millisecond, about the fastest reload, to minutes, which a full `zfs list` may take. */
const seconds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** The metrics read from the daemon's state. */
function registerState(registry: Registry, read: () => MetricsState): void {
  const state = (
    type: typeof Gauge | typeof Counter,
    name: string,
    help: string,
    labels: readonly string[],
    values: (state: MetricsState) => Iterable<readonly [labels: Record<string, string>, value: number]>,
  ) => {
    new type({
      name: `vminfod_${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of values(read())) this.inc(labels, value);
      },
    });
  };

  state(Gauge, 'vms', 'VMs, by state and brand.', ['state', 'brand'], ({ snapshot }) =>
    [...snapshot.vms.values()].map(({ vm }) => [{ state: vm.state, brand: vm.brand }, 1] as const),
  );
  state(Gauge, 'listeners', 'Open event streams.', [], ({ listeners }) => [[{}, listeners.list().length]]);
  state(Gauge, 'listener_unsent_bytes', 'Bytes that listeners have not read.', [], ({ listeners }) => [
    [{}, listeners.list().reduce((sum, { unsentBytes }) => sum + unsentBytes, 0)],
  ]);
  state(Counter, 'listener_overflows_total', 'Listeners cut off, by why.', ['reason'], ({ listeners }) =>
    Object.entries(listeners.overflows).map(([reason, count]) => [{ reason }, count] as const),
  );
  state(Counter, 'rescans_total', 'Rescans, by how they ended.', ['result'], ({ cache }) => [
    [{ result: 'complete' }, cache.rescans.complete],
    [{ result: 'failed' }, cache.rescans.failed],
  ]);
  state(
    Counter,
    'missed_changes_total',
    'Changes that only a rescan found, by the source that should have told.',
    ['source'],
    ({ cache }) => Object.entries(cache.rescans.found).map(([source, count]) => [{ source }, count] as const),
  );
  state(Gauge, 'load_errors', 'Inputs of zones that cannot be read.', [], ({ cache }) => [
    [{}, cache.loadErrors.length],
  ]);
  state(Counter, 'log_lost_lines_total', 'Lines of the log that could not be written.', [], ({ log }) => [
    [{}, log.lostLines],
  ]);
  state(
    Gauge,
    'file_threads',
    'Threads that read and watch files; one, and one for each that is stuck.',
    [],
    ({ files }) => [[{}, files.threads]],
  );
  state(Gauge, 'hung_zones', 'Zones whose files do not answer.', [], ({ files }) => [
    [{}, files.hung.length],
  ]);
  state(Gauge, 'source_up', '1 for a source that is live.', ['source'], ({ sources }) =>
    sources.map(({ name, state }) => [{ source: name }, state === 'running' ? 1 : 0] as const),
  );
  state(Counter, 'source_restarts_total', 'How often a source was replaced.', ['source'], ({ sources }) =>
    sources.map(({ name, restarts }) => [{ source: name }, restarts] as const),
  );
}
