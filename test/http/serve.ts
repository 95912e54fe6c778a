/** The HTTP server over a store that a test fills by hand: no host, no commands, port 0, nothing left behind. */
import { get as httpGet, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import type { Test } from 'tap';
import type { VmCache } from '../../lib/cache/cache.js';
import { VmStore, type Commit } from '../../lib/cache/vm-store.js';
import { createListeners, type Listeners, type ListenersOptions } from '../../lib/http/listeners.js';
import { pageFiles } from '../../lib/http/page-files.js';
import { createMetrics } from '../../lib/http/metrics.js';
import { routes, type Handler } from '../../lib/http/routes.js';
import { createSerialisedVms } from '../../lib/http/serialised.js';
import { listenOnPort } from '../../lib/http/server.js';
import { status } from '../../lib/http/status.js';
import { usageReply, type ReadUsage } from '../../lib/http/usage.js';
import { vmReplies, type VmRepliesOptions } from '../../lib/http/vms.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { EMPTY, Subject } from 'rxjs';

export const instance = '6f1d5a52-3c2f-4a57-9f6e-0123456789ab';

export interface Served {
  readonly url: string;
  readonly store: Pick<VmStore, 'snapshot' | 'log' | 'put' | 'delete'>;
  readonly listeners: Listeners;
  /** All routes, for another server. */
  readonly handler: Handler;
  /** What was logged. */
  readonly log: readonly Record<string, unknown>[];
  readonly close: () => Promise<void>;
}

export interface ServeOptions extends Pick<ListenersOptions, 'limits'> {
  readonly vms?: readonly VmObject[];
  /** Of the copies of VMs that are on their way. */
  readonly answers?: VmRepliesOptions['limits'];
  /** Default: no dataset is listed. */
  readonly readUsage?: ReadUsage;
  /** How old an answer to `/usage` may be. */
  readonly usageMaxAgeMs?: number;
  /** Default true. */
  readonly page?: boolean;
}

/** Serves VMs until the test ends. */
export async function serve(
  t: Test,
  { vms = [], limits = {}, answers, readUsage, usageMaxAgeMs = 60_000, page = true }: ServeOptions = {},
): Promise<Served> {
  const vmStore = new VmStore();
  for (const vm of vms) vmStore.put(vm);
  vmStore.loaded();
  const commits = new Subject<Commit>();
  const told = (commit: Commit | undefined) => {
    if (commit !== undefined) commits.next(commit);
    return commit;
  };
  const store = {
    snapshot: vmStore.snapshot,
    log: vmStore.log,
    put: (vm: VmObject) => told(vmStore.put(vm)),
    delete: (zonename: string) => told(vmStore.delete(zonename)),
    close: () => {
      commits.complete();
    },
  };
  const log: Record<string, unknown>[] = [];
  const logger = pino({}, { write: (line: string) => log.push(JSON.parse(line) as Record<string, unknown>) });
  const cacheStatus = {
    awaiting: [],
    queue: { pending: 0, queued: 0 },
    rescans: {
      records: [],
      failures: [],
      found: { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 },
      complete: 1,
      failed: 0,
    },
    loadErrors: [],
  };
  const cache: VmCache = {
    instance,
    snapshot: store.snapshot,
    eventLog: store.log,
    watchRequests: EMPTY,
    keep: () => EMPTY,
    sync: () => Promise.resolve(),
    sysinfo: () => ({ UUID: 'aaaaaaaa-0000-4000-8000-000000000001', 'Datacenter Name': 'coal' }),
    loadErrors: () => [],
    status: () => cacheStatus,
  };
  const logStatus = { lostLines: 0, unwrittenBytes: 0, error: null };
  const files = { threads: 1, stuck: 0, hung: [], stalled: false };
  const serialised = createSerialisedVms();
  const metrics = createMetrics(() => ({
    snapshot: store.snapshot.value,
    cache: cacheStatus,
    listeners,
    sources: [],
    log: logStatus,
    files,
  }));
  const listeners = createListeners({
    cache,
    commits,
    serialised,
    log: logger,
    limits,
    written: metrics.written,
  });
  const handler = routes({
    cache,
    vms: vmReplies({ cache, serialised, ...(answers !== undefined && { limits: answers }) }),
    listeners,
    metrics,
    usage: usageReply(cache, readUsage ?? (() => Promise.resolve(new Map())), { maxAgeMs: usageMaxAgeMs }),
    syncTimeoutMs: 1_000,
    page: page ? pageFiles() : undefined,
    status: () =>
      status({
        process: {
          pid: 1,
          uptimeNs: 1n,
          monotonicNs: 12_345_678_901n,
          memory: process.memoryUsage(),
          now: new Date(),
        },
        snapshot: store.snapshot.value,
        cache: cacheStatus,
        rescanIntervalMs: 300_000,
        sources: [],
        files,
        listeners,
        connections: { [server.url]: server.connections() },
        instance,
        log: logStatus,
        watches: undefined,
      }),
  });
  const server = await listenOnPort(
    { listen: '127.0.0.1', port: 0, allowedHosts: ['allowed.example'] },
    handler,
  );
  let closed: Promise<void> | undefined;
  const close = () => {
    store.close();
    return (closed ??= server.close(500));
  };
  t.teardown(close);
  return { url: server.url, store, listeners, handler, log, close };
}

/** A VM with little in it; `n` makes its names. */
export function aSmallVm(n: number, overrides: Partial<VmObject> = {}): VmObject {
  const zonename = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  return {
    zonename,
    uuid: zonename,
    alias: `vm${n}`,
    brand: 'joyent',
    state: 'running',
    quota: 10,
    nics: [{ interface: 'net0', mac: '00:00:00:00:00:01', ip: '10.0.0.1' }],
    ...overrides,
  } as unknown as VmObject;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  readonly json: unknown;
}

/** A GET on a connection of its own. */
export function get(url: string, headers: Record<string, string> = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    httpGet(url, { agent: false, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        const isJson =
          response.headers['content-type'] === 'application/json' && !response.headers['content-encoding'];
        const json = isJson && text !== '' ? (JSON.parse(text) as unknown) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, json });
      });
    }).on('error', reject);
  });
}

/** A line of a stream, parsed. */
export type AnyLine = Readonly<Record<string, unknown>>;

export interface Stream {
  readonly response: IncomingMessage;
  /** The next line, as it is; rejects when the stream has ended. */
  text(): Promise<string>;
  /** The next line, parsed. */
  line(): Promise<AnyLine>;
  close(): void;
}

/** Opens an event stream; the test's end closes it. `unread`: nothing is read of it before the first line is asked for. */
export async function open(
  t: Test,
  url: string,
  headers: Record<string, string> = {},
  unread?: 'unread',
): Promise<Stream> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(url, { agent: false, headers }, resolve).on('error', reject);
  });
  response.on('error', () => undefined); // The end of the lines tells.
  const read = () => createInterface({ input: response })[Symbol.asyncIterator]();
  let lines = unread === undefined ? read() : undefined;
  const close = () => {
    response.destroy();
  };
  t.teardown(close);
  const text = async () => {
    lines ??= read();
    const next = await lines.next();
    if (next.done === true) throw new Error('the stream has ended');
    return next.value;
  };
  return { response, close, text, line: async () => JSON.parse(await text()) as AnyLine };
}
