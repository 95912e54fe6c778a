/** The client of vminfod: requests with promises, and the event stream. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Agent } from 'node:http';
import {
  defaultListen,
  defaultPort,
  heartbeatSeconds,
  readyTimeoutMs,
  requestTimeoutMs,
  syncRequestTimeoutMs,
} from '../config.js';
import type { VmEvent } from '../vm/event.js';
import type { UsageReport } from '../vm/usage.js';
import type { PastEvents } from '../vm/past-events.js';
import type { VmObject } from '../vm/vm-object.js';
import { reconnectDelayMs } from './backoff.js';
import { deadline } from './deadline.js';
import { BadAnswerError, NotReadyError, TimeoutError, UnreachableError } from './errors.js';
import { EventStream } from './event-stream.js';
import type { StreamEvent } from './events.js';
import { joinSignals } from './join-signals.js';
import type { Status } from './status.js';
import type { EventMatch, WantedChanges } from './matching.js';
import { Transport } from './transport.js';
import { waitForChanges, waitForEvent, type WaitOptions } from './wait.js';
import { VmWatcher } from './watcher.js';

export const defaultUrl = `http://${defaultListen}:${defaultPort}`;

export interface ClientOptions {
  /** `http://host[:port]`, or `unix:/path` for a Unix socket. Default: `http://127.0.0.1:9090`. */
  readonly url?: string;
  /** The client's name, shown to operators in `/status`. */
  readonly name: string;
  /** Connections to use instead of our own; its owner destroys it. */
  readonly agent?: Agent;
  /** Aborts everything this client does, and closes its connections. */
  readonly signal?: AbortSignal;
  /** How long each request may take, ms; Infinity: for ever. Default: 30 s, and 35 s with `sync`. */
  readonly timeoutMs?: number;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** How long it may take, ms, in place of the client's own limit. Then it rejects with TimeoutError. */
  readonly timeoutMs?: number;
}

/** Filters as the daemon takes them: `{alias: 'db'}`, `{'nics.*.ip': '10.0.0.7'}`, `{alias: '~^web'}`. */
export type Query = Readonly<Record<string, string>>;

export interface EventsOptions {
  readonly signal?: AbortSignal;
  /** Only this VM. */
  readonly zonename?: string;
  /** Only VMs that match. A VM that starts or stops matching appears as create or delete. Needs a daemon that filters. */
  readonly query?: Query;
  /** Default true. `false`: the stream throws StreamEndedError when the daemon goes away. */
  readonly reconnect?: boolean;
  /** Called once for each lost connection, or for a daemon that is not there at first, before the retry. */
  readonly onDisconnect?: (error: Error) => void;
  /** Called when the stream is live again and everything missed is delivered, with the number of missed events. */
  readonly onReconnect?: (missed: number) => void;
  /**
   * How long to wait for a daemon that is not there before the first `ready`, ms. Default 30 s; Infinity for a program
   * that may start long before the daemon. A daemon that is still loading is waited for in any case.
   */
  readonly patienceMs?: number;
  /**
   * How often the daemon sends a heartbeat, in whole seconds. After two periods of silence the stream counts as dead and
   * is resumed. Default 15.
   */
  readonly heartbeatSeconds?: number;
  /** Every event has the host's `server_uuid` and `datacenter_name`. */
  readonly host?: boolean;
  /**
   * `<instance>:<seq>`, as in `changes()` and `status()`: events after that are delivered before the `ready`, as far as
   * the daemon still has them.
   */
  readonly since?: string;
}

export interface ChangesOptions extends RequestOptions {
  /** Only events of this VM. */
  readonly zonename?: string;
  /** Only changes of these properties (dotted keys): `['quota', 'nics.ip']`. */
  readonly paths?: readonly string[];
  /** Only these types. */
  readonly types?: readonly VmEvent['type'][];
  /** How many events, at most: 1 to 1000. Default 100. */
  readonly limit?: number;
  /** Only events before the one with this `seq`: the `next` of an earlier answer. */
  readonly before?: number;
  /** Whether to include the VMs. Default false. */
  readonly vm?: boolean;
}

export class VminfodClient implements AsyncDisposable {
  readonly name: string;
  readonly url: string;
  readonly #transport: Transport;
  readonly #timeoutMs: number | undefined;
  readonly #closed = new AbortController();

  /** @throws TypeError for a url of another form. */
  constructor({ url = defaultUrl, name, agent, signal, timeoutMs }: ClientOptions) {
    this.name = name;
    this.#timeoutMs = timeoutMs;
    this.url = url;
    this.#transport = new Transport({ url, name, agent, signal: this.#closed.signal });
    const onAbort = () => {
      this.#end(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { signal: this.#closed.signal });
    if (signal?.aborted) onAbort();
  }

  /** Resolves when the daemon answers and has loaded. Rejects with UnreachableError or NotReadyError otherwise. */
  async ping(options: RequestOptions = {}): Promise<void> {
    await this.#get('/ping', options);
  }

  /**
   * Resolves once the daemon answers and has loaded, however long that takes: it need not run yet. Polls at growing
   * intervals, so that many waiting clients do no harm.
   * @throws TimeoutError after `timeoutMs`, for which the default here is Infinity.
   */
  async ready({ timeoutMs = Infinity, signal }: RequestOptions = {}): Promise<void> {
    const limit = deadline(timeoutMs, () => {
      return new TimeoutError(`vminfod at ${this.url} is not ready after ${timeoutMs / 1000} s`);
    });
    const giveUp = joinSignals(signal, limit.signal, this.#transport.signal);
    try {
      for (let failures = 1; !(await this.#isReady(giveUp.signal)); failures++) {
        await sleep(reconnectDelayMs(failures), undefined, { signal: giveUp.signal });
      }
    } catch (error) {
      giveUp.signal.throwIfAborted();
      throw error;
    } finally {
      giveUp.release();
      limit.cancel();
    }
  }

  /** The daemon's status. `full` adds the refresh log and the watched files. */
  async status({
    full = false,
    ...options
  }: RequestOptions & { readonly full?: boolean } = {}): Promise<Status> {
    return (await this.#get(full ? '/status?full=true' : '/status', options)) as Status;
  }

  /** All VMs, or those that match. */
  async vms(query: Query = {}, options: RequestOptions = {}): Promise<VmObject[]> {
    const vms = await this.#get(withQuery('/vms', query), options);
    if (!Array.isArray(vms)) throw new BadAnswerError('the answer to /vms is not an array');
    return vms as VmObject[];
  }

  /**
   * One VM. With `sync` the answer contains everything that was written before the request, event or not.
   * @throws NotFoundError, NotReadyError (its zone never loaded), TimeoutError (`sync` took too long).
   */
  async vm(
    zonename: string,
    { sync = false, ...options }: RequestOptions & { readonly sync?: boolean } = {},
  ): Promise<VmObject> {
    const path = withQuery(`/vms/${encodeURIComponent(zonename)}`, sync ? { sync: 'true' } : {});
    return (await this.#get(path, options, sync ? syncRequestTimeoutMs : undefined)) as VmObject;
  }

  /**
   * Some properties of one VM, as in `/vms?fields=`: `['state', 'nics.ip']`. Properties that the VM lacks are absent.
   * @throws as `vm` does, and BadRequestError for an unknown property.
   */
  async fieldsOf(
    zonename: string,
    fields: readonly string[],
    options: RequestOptions = {},
  ): Promise<Partial<VmObject>> {
    const path = withQuery(`/vms/${encodeURIComponent(zonename)}`, { fields: fields.join(',') });
    return (await this.#get(path, options)) as Partial<VmObject>;
  }

  /**
   * Recent events, newest first, as far back as the daemon still has them: the answer says how far.
   * @throws NotFoundError for a daemon that does not keep events, such as the platform's.
   */
  async changes({
    zonename,
    paths,
    types,
    limit,
    before,
    vm = false,
    ...options
  }: ChangesOptions = {}): Promise<PastEvents> {
    const query = {
      ...(zonename !== undefined && { zonename }),
      ...(paths !== undefined && paths.length > 0 && { path: paths.join(',') }),
      ...(types !== undefined && types.length > 0 && { type: types.join(',') }),
      ...(limit !== undefined && { limit: String(limit) }),
      ...(before !== undefined && { before: String(before) }),
      ...(vm && { vm: 'true' }),
    };
    return (await this.#get(withQuery('/changes', query), options)) as PastEvents;
  }

  /**
   * How much disk space each VM has used, some seconds old at the most: no event tells of it.
   * @throws NotFoundError for a daemon that does not know, such as the platform's; NotReadyError when zfs cannot be asked.
   */
  async usage(options: RequestOptions = {}): Promise<UsageReport> {
    return (await this.#get('/usage', options)) as UsageReport;
  }

  /**
   * The snapshot (`ready`), then every change, for as long as one iterates: connections that are lost are replaced,
   * and what was missed meanwhile is delivered.
   * @throws (while iterating) UnreachableError when there is no daemon for 30 s at the start; the signal's reason.
   */
  events({ signal, zonename, ...options }: EventsOptions = {}): AsyncIterable<StreamEvent> {
    const defaults = {
      query: {},
      reconnect: true,
      heartbeatSeconds,
      patienceMs: readyTimeoutMs,
      host: false,
    };
    const timeoutMs = this.#timeoutMs ?? requestTimeoutMs;
    const following = { ...defaults, ...options, zonename, timeoutMs };
    return new EventStream(this.#transport, following, [this.#transport.signal, signal]);
  }

  /**
   * Resolves with the first event of a VM in which all that `match` names has the same value. Only events after the
   * stream is live count: to wait for the effect of an action, perform it in `change`.
   * @throws TimeoutError, code `ETIMEOUT`.
   */
  async waitForEvent(match: EventMatch, options: WaitOptions = {}): Promise<VmEvent> {
    return waitForEvent(this, match, options);
  }

  /**
   * Resolves with the event by which all `changes` have been seen, in any order, in events that `match`.
   * @throws TimeoutError, code `ETIMEOUT`.
   * @example
   * await client.waitForChanges({ zonename }, { path: ['quota'], newValue: 20 }, {
   *   timeoutMs: 10_000,
   *   change: () => execa('zfs', ['set', 'quota=20g', `zones/${zonename}`]),
   * });
   */
  async waitForChanges(
    match: EventMatch,
    changes: WantedChanges,
    options: WaitOptions = {},
  ): Promise<VmEvent> {
    return waitForChanges(this, match, changes, options);
  }

  /** All VMs (or those that match), live. Resolves with the first snapshot. Close it when done. */
  async watch(options: Omit<EventsOptions, 'since'> = {}): Promise<VmWatcher> {
    return VmWatcher.start(this.events(options));
  }

  /** Aborts requests in progress (they reject) and closes the connections. */
  close(): Promise<void> {
    this.#end();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #get(path: string, { signal, timeoutMs }: RequestOptions, defaultMs = requestTimeoutMs): Promise<unknown> {
    return this.#transport.getJson(path, timeoutMs ?? this.#timeoutMs ?? defaultMs, signal);
  }

  /** False while the daemon cannot be reached, does not answer, or is loading. */
  async #isReady(signal: AbortSignal): Promise<boolean> {
    try {
      await this.ping({ signal });
      return true;
    } catch (error) {
      const canChange = [UnreachableError, NotReadyError, TimeoutError].some((each) => error instanceof each);
      if (signal.aborted || !canChange) throw error;
      return false;
    }
  }

  #end(reason?: unknown): void {
    this.#closed.abort(reason);
    this.#transport.close();
  }
}

function withQuery(path: string, query: Query): string {
  const text = new URLSearchParams(query).toString();
  return text ? `${path}?${text}` : path;
}

/** What the client of one host and the client of a fleet (lib/fleet) have in common. */
export type VmClient = Omit<Pick<VminfodClient, keyof VminfodClient>, 'ready' | 'fieldsOf'>;
