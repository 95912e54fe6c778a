/**
 * The gateway: the HTTP interface of one host's daemon over the whole fleet, read-only. It wires lib/fleet to lib/http: the
 * fleet's events become commits of a VmStore, and everything else is the daemon's.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Subject } from 'rxjs';
import { VmStore, type Commit } from './cache/vm-store.js';
import type { VmCache } from './cache/cache.js';
import { http as limits } from './config.js';
import type { SourceStatus } from './client/status.js';
import type { FleetClient } from './fleet/client.js';
import { sourcesOf } from './fleet/fleet-status.js';
import { OneOfEach } from './fleet/one-of-each.js';
import { createListeners } from './http/listeners.js';
import { createMetrics } from './http/metrics.js';
import { pageFiles } from './http/page-files.js';
import { replyError } from './http/reply.js';
import { routes } from './http/routes.js';
import { createSerialisedVms } from './http/serialised.js';
import { closeAll, connectionsOf, listenOnAll, type HttpServer } from './http/server.js';
import { processStatus, status } from './http/status.js';
import { vmReplies } from './http/vms.js';
import { createLog } from './log.js';
import { Sink } from './sink.js';
import { QueryError } from './vm/selector.js';

export interface GatewayOptions {
  readonly fleet: FleetClient;
  readonly listen: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Names that requests may use in their Host header, beside `listen` and localhost. */
  readonly allowedHosts?: readonly string[];
  /** Path of a Unix socket to listen on as well. */
  readonly socket?: string | undefined;
  /** Whether browsers get a page at `/`. */
  readonly page: boolean;
  /** Default: one on stdout. */
  readonly log?: Logger;
}

/** A running gateway. */
export interface Gateway {
  readonly url: string;
  /** Resolves when it is closed. Rejects when the fleet cannot be read. */
  readonly ended: Promise<void>;
  /** Ends listeners and connections. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts a gateway. It answers 503 until it has all VMs.
 *
 * @throws ListenError
 */
export async function startGateway({
  fleet,
  listen,
  port,
  socket,
  page,
  ...options
}: GatewayOptions): Promise<Gateway> {
  const { log = createLog('vminfo-gateway', 'info', new Sink(1)), allowedHosts = [] } = options;
  const startedAt = process.hrtime.bigint();
  const stop = new AbortController();
  const store = new VmStore();
  const commits = new Subject<Commit>();
  const cache = cacheOf(store);
  const serialised = createSerialisedVms();
  let known: readonly SourceStatus[] = [];
  /** While NATS does not answer, the hosts as they were last known, and NATS itself. */
  const hosts = async (): Promise<readonly SourceStatus[]> => {
    try {
      known = sourcesOf(await fleet.hosts({ signal: stop.signal }));
      return known;
    } catch (error) {
      const time = new Date().toISOString();
      const lastError = { message: (error as Error).message, time };
      return [{ name: 'NATS', state: 'degraded', since: time, restarts: 0, events: 0, lastError }, ...known];
    }
  };
  const nothing = { lostLines: 0, unwrittenBytes: 0, error: null };
  const files = { threads: 0, stuck: 0, hung: [], stalled: false };
  let sources: readonly SourceStatus[] = [];
  const counted = createMetrics(() => ({
    ...{ snapshot: store.snapshot.value, cache: cache.status(), listeners, sources, log: nothing, files },
  }));
  const metrics = {
    ...counted,
    report: async () => {
      sources = await hosts();
      return counted.report();
    },
  };
  const listeners = createListeners({ cache, commits, serialised, log, written: metrics.written });
  const servers: HttpServer[] = [];
  const handler = routes({
    ...{ cache, listeners, metrics, syncTimeoutMs: limits.syncTimeoutMs },
    vms: vmReplies({ cache, serialised }),
    usage: (response) => {
      replyError(response, 'NotFound', 'the fleet does not know what VMs use of their disks');
      return Promise.resolve();
    },
    page: page ? pageFiles() : undefined,
    status: async () =>
      status({
        process: processStatus(startedAt),
        ...{ snapshot: store.snapshot.value, cache: cache.status(), listeners, files, log: nothing },
        rescanIntervalMs: 0,
        sources: await hosts(),
        connections: connectionsOf(servers),
        instance: cache.instance,
        watches: undefined,
      }),
  });
  await listenOnAll(servers, { listen, port, allowedHosts, socket }, handler);
  for (const { url } of servers) log.info({ url, fleet: fleet.url }, `serving the fleet on ${url}`);
  const url = servers[0]?.url ?? '';

  const follow = async () => {
    const one = new OneOfEach();
    const onDisconnect = (error: Error) => {
      log.warn(`NATS is lost: ${error.message}`);
    };
    for await (const event of fleet.events({ signal: stop.signal, onDisconnect })) {
      for (const { zonename, vm } of one.take(event)) {
        const commit = vm === undefined ? store.delete(zonename) : store.put(vm);
        if (commit !== undefined) commits.next(commit);
      }
      if (event.type === 'ready') {
        store.loaded();
        log.info(`${store.snapshot.value.vms.size} VMs`);
      }
    }
  };
  let closed: Promise<void> | undefined;
  const close = () => {
    stop.abort();
    commits.complete();
    return (closed ??= closeAll(servers));
  };
  const ended = follow().catch(async (error: unknown) => {
    if (stop.signal.aborted) return;
    await close();
    throw error;
  });
  return { url, ended, close };
}

/** What the HTTP interface asks of a cache. */
function cacheOf(
  store: VmStore,
): Pick<VmCache, 'instance' | 'snapshot' | 'eventLog' | 'sync' | 'sysinfo' | 'loadErrors' | 'status'> {
  const found = { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 };
  return {
    instance: randomUUID(),
    snapshot: store.snapshot,
    eventLog: store.log,
    sync: () => Promise.reject(new QueryError('only a VM’s own host can read it afresh', ['sync'])),
    sysinfo: () => ({}),
    loadErrors: () => [],
    status: () => ({
      awaiting: store.snapshot.value.loaded ? [] : ['NATS'],
      queue: { pending: 0, queued: 0 },
      rescans: { records: [], failures: [], complete: 0, failed: 0, found },
      loadErrors: [],
    }),
  };
}
