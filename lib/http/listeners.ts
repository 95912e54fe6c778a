/**
 * The listeners of `/events`: each gets the state, or the events that it missed, and then every later change, once and in
 * order, until a last line says where to resume. A listener that does not read costs the others nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import { finished } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { interval, type Observable, type Subscription } from 'rxjs';
import type { VmCache } from '../cache/cache.js';
import type { Commit } from '../cache/vm-store.js';
import { http as httpLimits, listeners as defaultLimits } from '../config.js';
import { holdersText, mostOf, type Holders } from '../holders.js';
import { FanOut, type View } from './fan-out.js';
import { frameOf, lineOf, preamble } from './frames.js';
import { namesIn } from './host-names.js';
import { Listener, type ListenerLimits, type ListenerRequest } from './listener.js';
import type { Selection } from './parameters.js';
import { replyError } from './reply.js';
import { escapedInParts, selectVms, type SerialisedVms } from './serialised.js';
import { UnsentCopies } from './unsent-copies.js';

/** Why a listener was cut off. */
export type CutReason = keyof typeof cutReasons;
const cutReasons = {
  bytes: 'it does not read, and too much is unsent',
  deadline: 'it does not read, and what is unsent is too old',
  log: 'it reads so slowly that what it missed is no longer at hand',
} as const;

export interface ListenersOptions {
  readonly cache: Pick<VmCache, 'instance' | 'snapshot' | 'eventLog' | 'sysinfo'>;
  /** Every change, once it is in the snapshot and the log. */
  readonly commits: Observable<Commit>;
  readonly serialised: SerialisedVms;
  readonly log: Logger;
  /** Overrides limits of config.ts. */
  readonly limits?: Partial<ListenerLimits>;
  /** Called with commits whose lines have been written to every listener. */
  readonly written?: (commits: readonly Commit[], bytes: number) => void;
}

/** How crowded it is. */
export interface Crowd {
  /** How many there may be, beside those reserved for the Unix socket. */
  readonly max: number;
  /** How many were refused since the start. */
  readonly refused: number;
  /** Who they are, most of them. */
  readonly holders: Holders;
}

/** The open `/events` requests. */
export interface Listeners {
  /** Serves a request until either side ends it. */
  add(message: IncomingMessage, response: ServerResponse, request: ListenerRequest): void;
  list(): readonly Listener[];
  /** How many have been cut off since the start. */
  readonly overflows: Readonly<Record<CutReason, number>>;
  crowd(): Crowd;
}

/** Starts without listeners. All listeners end when `commits` completes. */
export function createListeners(options: ListenersOptions): Listeners {
  const { cache, commits, serialised, log, written } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const { instance, eventLog } = cache;
  const open = new Map<Listener, View>();
  const overflows = { bytes: 0, deadline: 0, log: 0 };
  const snapshots = new UnsentCopies({ max: limits.maxSnapshotsUnsent, largeBytes: limits.catchUpBytes });
  const fanOut = new FanOut({
    instance,
    seq: () => cache.snapshot.value.seq,
    host: () => namesIn(cache.sysinfo()),
    full: (listener) => {
      cut(listener, 'bytes');
    },
    written,
  });
  let refused = 0;
  let refusalLoggedAt = Number.NEGATIVE_INFINITY;
  /** Only while somebody listens. */
  let ticks: Subscription | undefined;

  commits.subscribe({
    next: (commit) => {
      fanOut.add(commit);
    },
    complete: () => {
      fanOut.flush();
      ticks?.unsubscribe();
      for (const listener of open.keys()) listener.end();
    },
  });

  return {
    overflows,
    crowd: () => ({ max: limits.maxListeners, refused, holders: holders() }),
    list: () => [...open.keys()],
    add: (message, response, request) => {
      // Nobody but the owner can open the Unix socket, whose connections have no address.
      const reserved = message.socket.remoteAddress === undefined ? limits.maxReservedListeners : 0;
      if (open.size >= limits.maxListeners + reserved || snapshots.isFull) {
        refuse(response);
        return;
      }
      const listener = new Listener(message, response, request, limits);
      const view = fanOut.join(listener);
      open.set(listener, view);
      if (ticks === undefined || ticks.closed) ticks = interval(limits.tickMs).subscribe(tick);
      finished(response, () => {
        open.delete(listener);
        if (open.size === 0) ticks?.unsubscribe();
        fanOut.leave(listener, view);
      });
      void serve(listener, view, response);
    },
  };

  async function serve(listener: Listener, view: View, response: ServerResponse): Promise<void> {
    const { since, vms: shape } = listener.request.parameters;
    const canResume = since?.instance === instance && eventLog.after(since.seq) !== undefined;
    if (canResume || shape === 'none') {
      listener.seq = canResume ? since.seq : eventLog.seq;
      start(listener, canResume, []);
    } else {
      const bytes = await snapshotFor(listener, shape);
      if (bytes === undefined || !listener.isOpen) return;
      // Others may have taken the room while this one was made.
      const release = snapshots.hold(bytes, response);
      if (release === undefined) {
        refuse(response);
        return;
      }
      start(listener, false, quoted(bytes, shape), release);
    }
    await catchUp(listener, view);
  }

  /** The VMs as the listener asked for them, and the `seq` of their state; `undefined` when it leaves before its turn. */
  async function snapshotFor(listener: Listener, shape: 'string' | 'array'): Promise<Buffer | undefined> {
    const { selection } = listener.request.parameters;
    if (selection === undefined || isWhole(selection)) {
      if (shape === 'string') await serialised.prepareString(cache.snapshot.value);
      listener.seq = eventLog.seq;
      return serialised[shape](cache.snapshot.value);
    }
    return serialised.inTurn(async () => {
      if (!listener.isOpen) return undefined;
      listener.seq = eventLog.seq;
      return selectVms([...cache.snapshot.value.vms.values()], selection, encodings[shape]);
    });
  }

  function holders(): Holders {
    return mostOf([...open.keys()].map(({ userAgent }) => userAgent));
  }

  function refuse(response: ServerResponse): void {
    refused++;
    const now = performance.now();
    if (now - refusalLoggedAt > httpLimits.crowdedLogMs) {
      refusalLoggedAt = now;
      const who = holders();
      log.warn({ holders: who }, `no more listeners are taken: there are ${open.size}, ${holdersText(who)}`);
    }
    replyError(response, 'TooManyListeners', `too many listeners: ${open.size}`, { 'Retry-After': '1' });
  }

  function start(
    listener: Listener,
    resumed: boolean,
    vms: readonly Buffer[],
    flushed: () => void = () => undefined,
  ): void {
    const { uuid, seq, request } = listener;
    const date = new Date().toISOString();
    const host = request.parameters.host ? namesIn(cache.sysinfo()) : undefined;
    const head = JSON.stringify({ type: 'ready', date, uuid, instance, seq, resumed, ...host }).slice(0, -1);
    const json = vms.length === 0 ? [`${head}}`] : [`${head},"vms":`, ...vms, '}'];
    const line = lineOf(request.format, `${instance}:${seq}`, json.map(asBuffer));
    listener.start([...preamble(request.format), ...line], flushed);
  }

  /** Writes the events that the listener has missed, as fast as it reads; then it is live. */
  async function catchUp(listener: Listener, view: View): Promise<void> {
    while (listener.isOpen) {
      fanOut.flush();
      const missed = eventLog.after(listener.seq);
      if (missed === undefined) {
        cut(listener, 'log');
      } else if (missed.length === 0) {
        view.live.add(listener);
        const now = performance.now();
        listener.startHeartbeats(now);
        beat(listener, now);
        return;
      } else {
        const taken = missed.slice(0, limits.catchUpEvents);
        const lines = fanOut.lines(view, taken);
        if (lines.length > 0 && !listener.write(frameOf(lines))) cut(listener, 'bytes');
        else listener.seq = taken.at(-1)?.seq ?? listener.seq;
        if (listener.unsentBytes > limits.catchUpBytes) await listener.drained();
        else if (taken.length < missed.length) await setImmediate();
      }
    }
  }

  function tick(): void {
    const now = performance.now();
    for (const listener of open.keys()) {
      if (!listener.isOpen) listener.destroyWhenDue(now);
      else if (listener.isStalled(now)) cut(listener, 'deadline');
      else beat(listener, now);
    }
  }

  function beat(listener: Listener, now: number): void {
    if (!listener.takeHeartbeat(now)) return;
    fanOut.flush();
    const { seq } = fanOut;
    const date = new Date().toISOString();
    const json = Buffer.from(JSON.stringify({ type: 'heartbeat', date, instance, seq }));
    if (!listener.write(frameOf(lineOf(listener.request.format, `${instance}:${seq}`, [json])))) {
      cut(listener, 'bytes');
    }
  }

  function cut(listener: Listener, reason: CutReason): void {
    const view = open.get(listener);
    const seq = view?.live.delete(listener) ? fanOut.seq : listener.seq;
    const since = `${instance}:${seq}`;
    overflows[reason]++;
    log.warn(
      { listener: listener.uuid, userAgent: listener.userAgent, unsentBytes: listener.unsentBytes, since },
      `listener ${listener.uuid} is cut off: ${cutReasons[reason]}`,
    );
    const json = Buffer.from(JSON.stringify({ type: 'overflow', since }));
    listener.cut(performance.now(), lineOf(listener.request.format, since, [json]));
  }
}

/** Whether the query only selects events, and leaves every VM whole. */
function isWhole({ filter, fields }: Selection): boolean {
  return filter.length === 0 && fields === undefined;
}

function quoted(bytes: Buffer, shape: 'string' | 'array'): readonly Buffer[] {
  return shape === 'array' ? [bytes] : [quote, bytes, quote];
}

function asBuffer(part: string | Buffer): Buffer {
  return typeof part === 'string' ? Buffer.from(part) : part;
}

const encodings = { array: undefined, string: escapedInParts } as const;
const quote = Buffer.from('"');
