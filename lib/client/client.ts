/** The client of vminfod: requests with promises, and the event stream. */
import type { Dispatcher } from 'undici';
import { defaultListen, defaultPort } from '../config.js';
import type { VmEvent } from '../vm/event.js';
import type { VmObject } from '../vm/vm-object.js';
import { BadAnswerError } from './errors.js';
import { EventStream } from './event-stream.js';
import type { StreamEvent } from './events.js';
import type { Status } from './status.js';
import { ChangeTally, matchesEvent, type EventMatch, type WantedChanges } from './matching.js';
import { Transport } from './transport.js';
import { wait, type WaitOptions } from './wait.js';
import { VmWatcher } from './watcher.js';

export const defaultUrl = `http://${defaultListen}:${defaultPort}`;

export interface ClientOptions {
  /** `http://host[:port]`, or `unix:/path` for a Unix socket. Default: `http://127.0.0.1:9090`. */
  readonly url?: string;
  /** Who asks: operators see it in `/status`. */
  readonly name: string;
  /** An undici dispatcher to use instead of our own; whoever made it closes it. */
  readonly dispatcher?: Dispatcher;
  /** Ends everything this client does, and closes its connections. */
  readonly signal?: AbortSignal;
}

export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** Filters as the daemon takes them: `{alias: 'db'}`, `{'nics.*.ip': '10.0.0.7'}`, `{alias: '~^web'}`. */
export type Query = Readonly<Record<string, string>>;

export interface EventsOptions extends RequestOptions {
  /** Only this VM. */
  readonly zonename?: string;
  /** Only VMs that match. A VM that starts or stops matching appears as create or delete. Needs a daemon that filters. */
  readonly query?: Query;
  /** Default true. `false`: the stream throws StreamEndedError when the daemon goes away. */
  readonly reconnect?: boolean;
  /** Told of each lost connection before it is tried again. */
  readonly onDisconnect?: (error: Error) => void;
}

export class VminfodClient implements AsyncDisposable {
  readonly name: string;
  readonly url: string;
  readonly #transport: Transport;
  readonly #closed = new AbortController();

  /** @throws TypeError for a url of another form. */
  constructor({ url = defaultUrl, name, dispatcher, signal }: ClientOptions) {
    this.name = name;
    this.url = url;
    this.#transport = new Transport({ url, name, dispatcher, signal: this.#closed.signal });
    const onAbort = () => void this.#end(signal?.reason);
    signal?.addEventListener('abort', onAbort, { signal: this.#closed.signal });
    if (signal?.aborted) onAbort();
  }

  /** Resolves when the daemon answers and has loaded. Rejects with UnreachableError or NotReadyError otherwise. */
  async ping(options: RequestOptions = {}): Promise<void> {
    await this.#transport.getJson('/ping', options.signal);
  }

  /** How the daemon is. `full` adds the refresh log and the watched files. */
  async status({ full = false, signal }: RequestOptions & { readonly full?: boolean } = {}): Promise<Status> {
    return (await this.#transport.getJson(full ? '/status?full=true' : '/status', signal)) as Status;
  }

  /** All VMs, or those that match. */
  async vms(query: Query = {}, { signal }: RequestOptions = {}): Promise<VmObject[]> {
    const vms = await this.#transport.getJson(withQuery('/vms', query), signal);
    if (!Array.isArray(vms)) throw new BadAnswerError('the answer to /vms is not an array');
    return vms as VmObject[];
  }

  /**
   * One VM. With `sync` the answer contains everything that was written before the request, event or not.
   * @throws NotFoundError, NotReadyError (its zone never loaded), TimeoutError (`sync` took too long).
   */
  async vm(
    zonename: string,
    { sync = false, signal }: RequestOptions & { readonly sync?: boolean } = {},
  ): Promise<VmObject> {
    const path = withQuery(`/vms/${encodeURIComponent(zonename)}`, sync ? { sync: 'true' } : {});
    return (await this.#transport.getJson(path, signal)) as VmObject;
  }

  /**
   * The snapshot (`ready`), then every change, for as long as one iterates: connections that are lost are replaced,
   * and what was missed meanwhile is delivered.
   * @throws (while iterating) UnreachableError when there is no daemon for 30 s at the start; the signal's reason.
   */
  events({
    zonename,
    query = {},
    reconnect = true,
    onDisconnect,
    signal,
  }: EventsOptions = {}): AsyncIterable<StreamEvent> {
    const options = { zonename, query, reconnect, onDisconnect };
    return new EventStream(this.#transport, options, [this.#transport.signal, signal]);
  }

  /**
   * Resolves with the first event of a VM in which all that `match` names has the same value. Only what happens after
   * the stream is live counts: to wait for the effect of something one does, do it in `change`.
   * @throws TimeoutError, code `ETIMEOUT`.
   */
  async waitForEvent(match: EventMatch, options: WaitOptions = {}): Promise<VmEvent> {
    return this.#wait('waitForEvent', match, options, () => true);
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
    const tally = new ChangeTally(changes);
    return this.#wait('waitForChanges', match, options, (event) => {
      return event.type === 'modify' && tally.add(event.changes);
    });
  }

  /** All VMs (or those that match), live. Resolves with the first snapshot. Close it when done. */
  async watch(options: EventsOptions = {}): Promise<VmWatcher> {
    return VmWatcher.start(this.events(options));
  }

  /** Ends what is under way (it rejects) and closes the connections. */
  async close(): Promise<void> {
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async #end(reason?: unknown): Promise<void> {
    this.#closed.abort(reason);
    await this.#transport.close();
  }

  #wait(
    name: string,
    match: EventMatch,
    options: WaitOptions,
    isDone: (event: VmEvent) => boolean,
  ): Promise<VmEvent> {
    const { zonename } = match;
    return wait({
      ...options,
      events: (signal) => this.events({ ...(zonename !== undefined && { zonename }), signal }),
      isWhatWeWaitFor: (event) => matchesEvent(match, event) && isDone(event),
      what: `${name}: ${this.name}`,
    });
  }
}

function withQuery(path: string, query: Query): string {
  const text = new URLSearchParams(query).toString();
  return text ? `${path}?${text}` : path;
}

/** What a client of one host and one of a fleet (lib/fleet) have in common. */
export type VmClient = Pick<VminfodClient, keyof VminfodClient>;
