/**
 * The cache of VM objects, as the rest of the daemon sees it: the current state, recent changes, its health, and a way to
 * have a zone read afresh. The pipeline keeps it up to date.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Observable, Subject, finalize } from 'rxjs';
import { isZonename } from '../host/paths.js';
import type { WatchRequest } from '../sources/file-events.js';
import type { Invalidation } from '../sources/invalidation.js';
import { zoneInputs, type Sysinfo } from '../vm/inputs.js';
import { listAll } from '../vm/listing-needs.js';
import type { QueueLength } from '../operators/coalesce.js';
import type { EventLog } from './event-log.js';
import type { LanesOptions } from './lanes.js';
import type { LoadError } from './load-errors.js';
import { commitsOf } from './pipeline.js';
import { datasetRequests, zoneRequest, type Request, type Waiter } from './requests.js';
import { Rescans, type RescanLog } from './rescans.js';
import { HostState } from './state.js';
import { VmStore, type Commit, type CacheSnapshot } from './vm-store.js';

/** A request for a fresh reading was not served in time. */
export class SyncTimeoutError extends Error {
  override readonly name = 'SyncTimeoutError';
  readonly zonename: string;

  constructor(zonename: string, timeoutMs: number) {
    super(`zone ${zonename} was not read again within ${timeoutMs / 1000} s`);
    this.zonename = zonename;
  }
}

/** It could not be determined whether the zone exists. */
export class UnknownZoneError extends Error {
  override readonly name = 'UnknownZoneError';
  readonly zonename: string;

  constructor(zonename: string, cause: Error) {
    super(`zone ${zonename}: cannot read record: ${cause.message}`, { cause });
    this.zonename = zonename;
  }
}

/** The cache was stopped before it had read what a caller asked for. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';

  constructor() {
    super('vminfod is stopping');
  }
}

/** What `/status` shows of the cache. */
export interface CacheStatus {
  /** What the first load waits for; empty when it is done. */
  readonly awaiting: readonly string[];
  readonly queue: QueueLength;
  readonly rescans: RescanLog;
  readonly loadErrors: readonly LoadError[];
}

export interface CacheOptions extends Pick<LanesOptions, 'host' | 'onReload'> {
  readonly log: Logger;
}

/** The cache. */
export interface VmCache {
  /** A UUID per start: `seq` counts within it. */
  readonly instance: string;
  readonly snapshot: Observable<CacheSnapshot> & { readonly value: CacheSnapshot };
  /** The last commits. */
  readonly eventLog: Omit<EventLog, 'add'>;
  /** The zones whose files should be watched. */
  readonly watchRequests: Observable<WatchRequest>;
  /**
   * Keeps the cache up to date while subscribed (one subscriber at a time). Emits every change after the first load, in
   * order, once it is in the snapshot. The first load begins when `live` emits, that is, when the sources are live. An
   * error here is a bug, not a fault of the host.
   */
  keep(invalidations: Observable<Invalidation>, live: Observable<unknown>): Observable<Commit>;
  /**
   * Reads a zone afresh. When it resolves, everything that was true of the zone before the call is in the snapshot, or
   * recorded as a load error.
   *
   * @throws SyncTimeoutError, StoppedError, UnknownZoneError
   */
  sync(zonename: string, timeoutMs: number): Promise<void>;
  /** What sysinfo says about the host itself. */
  sysinfo(): Sysinfo;
  /** Why a zone is not in the snapshot, or not up to date. */
  loadErrors(zonename: string): readonly LoadError[];
  status(): CacheStatus;
}

/** An empty cache. */
export function createCache({ host, log, onReload }: CacheOptions): VmCache {
  const store = new VmStore();
  const state = new HostState(store, log);
  const rescans = new Rescans(log);
  const watchRequests = new Subject<WatchRequest>();
  const asked = new Subject<Request>();
  const queues = new Map<string, QueueLength>();
  /** How to tell each caller that waits for a reading that there will be none. */
  const waiting = new Set<(error: Error) => void>();

  return {
    instance: randomUUID(),
    snapshot: store.snapshot,
    eventLog: store.log,
    watchRequests,
    sysinfo: () => state.sysinfo,
    loadErrors: (zonename) => state.errors.list().filter(({ zone }) => zone === zonename),
    status: () => ({
      awaiting: state.isLoaded ? [] : rescans.awaiting(),
      queue: [...queues.values()].reduce(
        (a, b) => ({ pending: a.pending + b.pending, queued: a.queued + b.queued }),
        { pending: 0, queued: 0 },
      ),
      rescans,
      loadErrors: state.errors.list(),
    }),
    sync: async (zonename, timeoutMs) => {
      if (!isZonename(zonename)) return; // No zone can have this name, so there is nothing to read.
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          settle(new SyncTimeoutError(zonename, timeoutMs));
        }, timeoutMs);
        const settle = (error?: Error) => {
          clearTimeout(timer);
          waiting.delete(settle);
          if (error === undefined) resolve();
          else reject(error);
        };
        waiting.add(settle);
        for (const request of syncRequests(state, zonename, settle)) asked.next(request);
      });
    },
    keep: (invalidations, live) =>
      commitsOf({
        ...{ host, state, rescans, invalidations, live, asked, onReload },
        watch: (request) => {
          watchRequests.next(request);
        },
        onQueue: (lane, queue) => queues.set(lane, queue),
      }).pipe(
        finalize(() => {
          for (const settle of waiting) settle(new StoppedError());
        }),
      ),
  };
}

/** Everything a VM is made of, read for one caller: each part is read after the call. */
function syncRequests(state: HostState, zonename: string, done: (error?: Error) => void): readonly Request[] {
  let open = 0;
  const waiter: Waiter = {
    began: () => open++,
    ended: () => {
      if (--open === 0) done();
    },
    failed: (error) => {
      done(new UnknownZoneError(zonename, error));
    },
  };
  const occasion = { noticedAt: undefined, waiters: [waiter] };
  const { root, datasets } = state.index.dependencies(zonename) ?? { root: undefined, datasets: [] };
  const requests = [
    zoneRequest(zonename, zoneInputs, occasion),
    ...datasetRequests('dataset', listAll(datasets, root), occasion),
  ];
  open = requests.length;
  return requests;
}
