/** The client of the fleet: what VminfodClient is to one host, over all hosts. */
import { performance } from 'node:perf_hooks';
import { BadRequestError, NotFoundError } from '../client/errors.js';
import type { ChangesOptions, EventsOptions, Query, RequestOptions, VmClient } from '../client/client.js';
import type { ReadyEvent, StreamEvent } from '../client/events.js';
import { joinSignals } from '../client/join-signals.js';
import type { EventMatch, WantedChanges } from '../client/matching.js';
import type { Status } from '../client/status.js';
import { waitForChanges, waitForEvent, type WaitOptions } from '../client/wait.js';
import { VmWatcher } from '../client/watcher.js';
import type { VmEvent } from '../vm/event.js';
import { matches, parseFilter, type Filter } from '../vm/filter.js';
import type { UsageReport } from '../vm/usage.js';
import type { PastEvents } from '../vm/past-events.js';
import { vmKey } from '../vm/vm-key.js';
import type { VmObject } from '../vm/vm-object.js';
import { connectNats, withoutLogin, type Nats, type NatsOptions } from './connection.js';
import { asFleetError } from './errors.js';
import { Dressing } from './dressing.js';
import { fleetStatus } from './fleet-status.js';
import { followFleet } from './follow.js';
import { followHosts } from './follow-hosts.js';
import { readHosts, type FleetHost } from './hosts.js';
import { mergeStreams } from './merge.js';
import { FleetMirror, type FleetEvent } from './mirror.js';
import { vmStream, vmSubjects } from './names.js';
import { observeAll, type StoredHost } from './observe.js';
import { preferred } from './one-of-each.js';
import { pastChanges } from './past.js';

/** Where the fleet's NATS is, and the client's name. */
export interface FleetClientOptions extends NatsOptions {
  readonly name: string;
  readonly signal?: AbortSignal;
}

/**
 * VMs of all hosts. Each has, beside its own properties, `datacenter`, `host` (the host's name) and, when its host has
 * not been heard of, `stale`: since when. A VM that is being migrated appears twice, with different `server_uuid`s.
 *
 * @example
 * await using fleet = await FleetClient.connect({ servers: ['nats://10.0.0.5:4222'], name: 'inventory' });
 * for await (const event of fleet.events()) console.log(event.type, event.uuid);
 */
export class FleetClient implements VmClient {
  readonly name: string;
  readonly url: string;
  readonly #nats: Nats;
  readonly #closed = new AbortController();
  readonly #since = performance.now();

  private constructor(nats: Nats, { name, servers, signal }: FleetClientOptions) {
    this.name = name;
    this.url = servers.map(withoutLogin).join(',');
    this.#nats = nats;
    const onAbort = () => void this.#end(signal?.reason);
    signal?.addEventListener('abort', onAbort, { signal: this.#closed.signal });
    if (signal?.aborted) onAbort();
  }

  /** @throws UnreachableError */
  static async connect(options: FleetClientOptions): Promise<FleetClient> {
    return new FleetClient(await connectNats(options, options.name), options);
  }

  /** Resolves when NATS answers and has the fleet's streams. */
  async ping({ signal }: RequestOptions = {}): Promise<void> {
    await this.hosts({ ...(signal && { signal }) });
  }

  /** The health of the hosts, each as a source of VMs. */
  async status(options: RequestOptions = {}): Promise<Status> {
    return fleetStatus(await this.hosts(options), (performance.now() - this.#since) / 1000, new Date());
  }

  /** As VminfodClient, newest first: what the stream still has, which are the last changes of each VM. */
  async changes({ signal, ...options }: ChangesOptions = {}): Promise<PastEvents> {
    return this.#during(signal, (joined) => pastChanges(this.#nats, options, joined));
  }

  /** Hosts do not publish it. */
  usage(): Promise<UsageReport> {
    return Promise.reject(
      new BadRequestError('the fleet does not know what VMs use of their disks', 'BadRequest'),
    );
  }

  /** The hosts, and whether they are stale. */
  async hosts({ signal }: RequestOptions = {}): Promise<readonly FleetHost[]> {
    return this.#during(signal, (joined) => readHosts(this.#nats, joined));
  }

  /** What the stream has of each host, by `datacenter/server_uuid`: to be compared with the hosts' own digests. */
  async digests({ signal }: RequestOptions = {}): Promise<ReadonlyMap<string, StoredHost>> {
    return this.#during(signal, (joined) => observeAll(this.#nats, joined));
  }

  /** How full the stream of VMs is, bytes. */
  async fill(): Promise<{ readonly bytes: number; readonly maxBytes: number }> {
    try {
      const { state, config } = await this.#nats.manager.streams.info(vmStream);
      return { bytes: state.bytes, maxBytes: config.max_bytes };
    } catch (error) {
      throw asFleetError(error, vmStream);
    }
  }

  /** All VMs, or those that match. */
  async vms(query: Query = {}, { signal }: RequestOptions = {}): Promise<VmObject[]> {
    return this.#snapshot({ query, ...(signal && { signal }) });
  }

  /**
   * One VM; if it is on two hosts, the running one, else the one heard from last.
   *
   * @throws NotFoundError; BadRequestError for `sync`, which only its host can do.
   */
  async vm(
    zonename: string,
    { sync = false, signal }: RequestOptions & { readonly sync?: boolean } = {},
  ): Promise<VmObject> {
    if (sync) throw new BadRequestError('only a VM’s own host can read it afresh', 'BadRequest');
    const all = await this.#snapshot({ zonename, ...(signal && { signal }) });
    const [best] = preferred(all);
    if (best === undefined) throw new NotFoundError(`no VM ${JSON.stringify(zonename)}`, 'NotFound');
    return best;
  }

  /** As VminfodClient: one `ready`, then every change, once, over lost connections. `seq` is the stream's. */
  events({ signal, ...options }: EventsOptions = {}): AsyncIterable<StreamEvent> {
    const filter = parseFilter(Object.entries(options.query ?? {}));
    return {
      [Symbol.asyncIterator]: () => {
        const left = new AbortController();
        const events = this.#events(options, filter, { given: signal, left: left.signal });
        return {
          next: () => events.next(),
          // A generator that waits would not notice: the fleet may be quiet for hours.
          return: () => {
            left.abort();
            return events.return();
          },
        };
      },
    };
  }

  /** As VminfodClient. @throws TimeoutError */
  async waitForEvent(match: EventMatch, options: WaitOptions = {}): Promise<VmEvent> {
    return waitForEvent(this, match, options);
  }

  /** As VminfodClient. @throws TimeoutError */
  async waitForChanges(
    match: EventMatch,
    changes: WantedChanges,
    options: WaitOptions = {},
  ): Promise<VmEvent> {
    return waitForChanges(this, match, changes, options);
  }

  /** As VminfodClient; the keys are `datacenter/server_uuid/zonename`. */
  async watch(options: EventsOptions = {}): Promise<VmWatcher> {
    return VmWatcher.start(this.events(options), vmKey);
  }

  async close(): Promise<void> {
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }

  async *#events(
    { zonename, query = {}, reconnect = true, onDisconnect, onReconnect }: EventsOptions,
    filter: Filter,
    { given, left }: { readonly given: AbortSignal | undefined; readonly left: AbortSignal },
  ): AsyncGenerator<StreamEvent, void> {
    const ended = new AbortController();
    const joined = joinSignals(this.#closed.signal, given, left, ended.signal);
    const hosts = followHosts(this.#nats, joined.signal);
    try {
      const dressing = new Dressing((await hosts.next()).value);
      const mirror = new FleetMirror((vm, host) => dressing.dress(vm, host));
      const subjects = vmSubjects({
        ...plain('zonename', zonename ?? query['zonename']),
        ...plain('datacenter', query['datacenter']),
        ...plain('server', query['server_uuid']),
      });
      const following = { filter: subjects, mirror, reconnect, onDisconnect, onReconnect };
      const shown = new Set<string>();
      for await (const each of mergeStreams<StreamEvent | FleetEvent | readonly FleetHost[]>(
        joined.signal,
        (signal) => [followFleet(this.#nats, { ...following, signal }), hosts],
      )) {
        if (isHosts(each)) dressing.set(each);
        for (const event of isHosts(each) ? mirror.dressAgain(each) : [each]) {
          const seen = filtered(event, filter, shown);
          if (seen) yield seen;
        }
      }
    } catch (error) {
      if (!left.aborted) throw error;
    } finally {
      ended.abort();
      joined.release();
    }
  }

  /** The VMs with which these events begin. */
  async #snapshot(options: EventsOptions): Promise<VmObject[]> {
    for await (const event of this.events(options)) {
      if (event.type === 'ready') return [...event.vms];
    }
    return [];
  }

  async #during<T>(given: AbortSignal | undefined, use: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const joined = joinSignals(this.#closed.signal, given);
    return use(joined.signal).finally(() => {
      joined.release();
    });
  }

  async #end(reason?: unknown): Promise<void> {
    this.#closed.abort(reason);
    await this.#nats.connection.close();
  }
}

/** A part of a subject, from a filter's value that is neither a pattern nor a comparison. */
function plain<K extends string>(part: K, value: string | undefined): Partial<Record<K, string>> {
  return value !== undefined && /^[A-Za-z0-9]/.test(value) ? ({ [part]: value } as Record<K, string>) : {};
}

function isHosts(each: StreamEvent | readonly FleetHost[]): each is readonly FleetHost[] {
  return Array.isArray(each);
}

/** An event as seen through a filter: a VM that starts or stops matching appears as create or delete. */
function filtered(event: StreamEvent, filter: Filter, shown: Set<string>): StreamEvent | undefined {
  if (event.type === 'ready') {
    const vms = event.vms.filter((vm) => matches(filter, vm));
    for (const vm of vms) shown.add(vmKey(vm));
    return { ...event, vms } satisfies ReadyEvent;
  }
  if (filter.length === 0) return event;
  const key = vmKey(event);
  const wasShown = shown.delete(key);
  if (event.type === 'delete' || !matches(filter, event.vm)) {
    if (!wasShown) return undefined;
    const { date, zonename, uuid, seq, vm } = event;
    const common = { date, zonename, uuid, ...(seq !== undefined && { seq }), ...(vm && { vm }) };
    return { ...placeOf(event), type: 'delete', ...common };
  }
  shown.add(key);
  if (wasShown) return event;
  const { date, zonename, uuid, seq, vm } = event;
  return { ...placeOf(event), type: 'create', date, zonename, uuid, vm, ...(seq !== undefined && { seq }) };
}

function placeOf(event: VmEvent): object {
  const { datacenter, server_uuid } = event as { datacenter?: string; server_uuid?: string };
  return { datacenter, server_uuid };
}
