/**
 * The daemon: its parts, wired. The only file that knows them all.
 */
import { access, constants } from 'node:fs/promises';
import type { Logger } from 'pino';
import {
  Subject,
  combineLatest,
  connectable,
  filter,
  ignoreElements,
  lastValueFrom,
  merge,
  race,
  take,
  takeUntil,
  tap,
  timer,
  type Observable,
} from 'rxjs';
import { createCache } from './cache/cache.js';
import { logCrowds, logEvents, logHealth } from './daemon-log.js';
import { http as httpLimits, sysevents } from './config.js';
import type { WatchSource } from './host/file-messages.js';
import { requireDescriptors } from './host/descriptors.js';
import { createHost, type Host } from './host/host.js';
import { zonesDirectory } from './host/paths.js';
import { readUsage } from './host/zfs-usage.js';
import type { ConnectionsStatus, OnCrowded } from './http/connections.js';
import { createListeners } from './http/listeners.js';
import { pageFiles } from './http/page-files.js';
import { routes } from './http/routes.js';
import { createSerialisedVms } from './http/serialised.js';
import { createMetrics, type Metrics } from './http/metrics.js';
import { closeAll, connectionsOf, listenOnAll, type HttpServer } from './http/server.js';
import { processStatus, status } from './http/status.js';
import { usageReply } from './http/usage.js';
import { vmReplies } from './http/vms.js';
import type { SinkStatus } from './sink.js';
import { fileEvents } from './sources/file-events.js';
import { createSourceHealth, type SourceHealth } from './sources/health.js';
import type { Invalidation, SourceName } from './sources/invalidation.js';
import { rescans } from './sources/rescans.js';
import { zfsEvents } from './sources/zfs-events.js';
import { zoneEvents } from './sources/zone-events.js';
import { optimizeAsUsual } from './v8-flags.js';

export interface DaemonOptions {
  /** The directory under which all files and commands are: `/`, or a simulated global zone. */
  readonly root: string;
  /** The address that it listens on; `undefined`: no TCP, only `socket`. */
  readonly listen: string | undefined;
  /** 0 picks a free one. */
  readonly port: number;
  /** Names that requests may use in their Host header, beside `listen` and localhost. */
  readonly allowedHosts?: readonly string[];
  /** Path of a Unix socket to listen on, beside TCP or instead. */
  readonly socket?: string | undefined;
  /** Whether browsers get a page at `/`. Default true. */
  readonly page?: boolean;
  readonly rescanIntervalMs: number;
  readonly log: Logger;
  /** The log's status. Default: one that loses nothing. */
  readonly logStatus?: () => SinkStatus;
  /** What the operator asks for while it runs, e.g. a rescan by SIGHUP. */
  readonly requests: Observable<Invalidation>;
  /** How long `GET /vms/<zone>?sync=true` may take before it is answered 504. Default: see config.ts. */
  readonly syncTimeoutMs?: number;
  /** Replaces fs.watch, for a test. */
  readonly watch?: WatchSource;
}

const lossless: SinkStatus = { lostLines: 0, unwrittenBytes: 0, error: null };

/** A running daemon. */
export interface Daemon {
  /** Where it serves, e.g. `http://127.0.0.1:9090`; `unix:/path` when it serves only there. */
  readonly url: string;
  /** Resolves when it is closed. Rejects with an error that should never happen: then the process must end. */
  readonly ended: Promise<void>;
  /**
   * Ends child processes, threads, listeners and connections; resolves when all that can end have ended. May be called
   * again.
   */
  close(): Promise<void>;
  /** Whether a thread is stuck in a call to a file system that hangs. It keeps the process from ending; see end-process.ts. */
  isStuck(): boolean;
}

/** A command that every global zone has is missing. */
export class MissingCommandError extends Error {
  override readonly name = 'MissingCommandError';
  readonly command: string;

  constructor(command: string, options?: ErrorOptions) {
    super(
      `there is no ${command}, so this is not a SmartOS global zone. To try vminfod on a simulated one, run ` +
        '`vminfod-sim make DIR` and then `vminfod --root DIR`, or `npm run demo`.',
      options,
    );
    this.command = command;
  }
}

/** The process may not open as many files as a daemon needs. */
export class TooFewDescriptorsError extends Error {
  override readonly name = 'TooFewDescriptorsError';

  constructor(least: number, options: ErrorOptions) {
    super(
      `it must be able to open ${least} files, watches and connections, and may not: raise the limit ` +
        '(ulimit -n, prctl -n process.max-file-descriptor)',
      options,
    );
  }
}

/**
 * Starts a daemon. The port is open when it resolves; the first load goes on.
 *
 * @throws MissingCommandError, ListenError, TooFewDescriptorsError
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { log, rescanIntervalMs, logStatus = () => lossless } = options;
  const startedAt = process.hrtime.bigint();
  requireLeastDescriptors();
  const stop = new AbortController();
  const metrics = createMetrics(() => ({
    snapshot: cache.snapshot.value,
    cache: cache.status(),
    listeners,
    sources: sources.map((each) => each.status()),
    log: logStatus(),
    files: host.files.status(),
  }));
  const host = createHost({
    root: options.root,
    signal: stop.signal,
    onCommand: metrics.command,
    watch: options.watch,
  });
  host.files.parseAhead(host.path(zonesDirectory));
  await requireZoneadm(host);

  const cache = createCache({ host, log, onReload: metrics.reload });
  const health = {
    zones: createSourceHealth('zone-events'),
    zfs: createSourceHealth('zfs-events'),
    files: createSourceHealth('file-events'),
  };
  const sources = Object.values(health);

  const serialised = createSerialisedVms();
  const invalidations = merge(
    counted('zone-events', zoneEvents(host, health.zones), metrics),
    counted('zfs-events', zfsEvents(host, health.zfs), metrics),
    counted(
      'file-events',
      fileEvents({ host, requests: cache.watchRequests, health: health.files }),
      metrics,
    ),
    rescans(rescanIntervalMs),
    options.requests,
  );
  const stopped = new Subject<void>();
  const commits = connectable(
    merge(cache.keep(invalidations, allLive(sources)), logHealth(sources, log)).pipe(takeUntil(stopped)),
  );
  const listeners = createListeners({
    ...{ cache, commits, serialised, log },
    // Nothing is counted or logged before the listeners have it.
    written: (written, bytes) => {
      metrics.written(written, bytes);
      logEvents(written, log);
    },
  });
  const servers: HttpServer[] = [];
  const handler = routes({
    cache,
    vms: vmReplies({ cache, serialised }),
    listeners,
    syncTimeoutMs: options.syncTimeoutMs ?? httpLimits.syncTimeoutMs,
    metrics,
    usage: usageReply(cache, () => readUsage(host)),
    page: options.page === false ? undefined : pageFiles(),
    status: async (full) =>
      status({
        process: processStatus(startedAt),
        snapshot: cache.snapshot.value,
        cache: cache.status(),
        rescanIntervalMs,
        sources: sources.map((each) => each.status()),
        listeners,
        connections: connectionsOf(servers),
        instance: cache.instance,
        log: logStatus(),
        files: host.files.status(),
        watches: full ? await host.files.watchStatus() : undefined,
      }),
  });
  const crowds = new Subject<() => ConnectionsStatus>();
  logCrowds(crowds.pipe(takeUntil(stopped)), log);
  const { listen, port, allowedHosts, socket } = options;
  const onCrowded: OnCrowded = (status) => {
    crowds.next(status);
  };
  await listenOnAll(servers, { listen, port, allowedHosts, socket, onCrowded }, handler);
  const url = servers[0]?.url ?? '';

  const ended = lastValueFrom(commits.pipe(ignoreElements()), { defaultValue: undefined });
  let closed: Promise<void> | undefined;
  const loaded = cache.snapshot.pipe(filter((snapshot) => snapshot.loaded));
  loaded.pipe(take(1), takeUntil(stopped)).subscribe(optimizeAsUsual);
  commits.connect();
  for (const server of servers)
    log.info({ root: options.root, url: server.url }, `listening on ${server.url}`);

  return {
    url,
    ended,
    close: () => {
      stopped.next();
      stop.abort();
      return (closed ??= Promise.all([closeAll(servers), host.files.end()]).then(() => undefined));
    },
    isStuck: () => host.files.status().stuck > 0,
  };
}

function counted(
  source: SourceName,
  invalidations: Observable<Invalidation>,
  metrics: Metrics,
): Observable<Invalidation> {
  return invalidations.pipe(
    tap(() => {
      metrics.invalidation(source);
    }),
  );
}

/** Node has raised the soft limit to the hard one by now. */
function requireLeastDescriptors(): void {
  try {
    requireDescriptors(httpLimits.leastDescriptors);
  } catch (cause) {
    throw new TooFewDescriptorsError(httpLimits.leastDescriptors, { cause });
  }
}

async function requireZoneadm(host: Host): Promise<void> {
  const zoneadm = host.path('/usr/sbin/zoneadm');
  try {
    await access(zoneadm, constants.X_OK);
  } catch (cause) {
    throw new MissingCommandError(zoneadm, { cause });
  }
}

/** Emits when every source is live, or has failed, or too much time has passed: a rescan follows a late `ready`. */
function allLive(sources: readonly SourceHealth[]): Observable<unknown> {
  const all = combineLatest(sources.map(({ state }) => state)).pipe(
    filter((states) => states.every((state) => state !== 'starting')),
  );
  return race(all, timer(sysevents.patienceMs));
}
