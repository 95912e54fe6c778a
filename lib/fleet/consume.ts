/**
 * Messages of a stream, in order and without a gap, from one consumer; it ends with an error at the first sign that
 * something may be missing: silence, a number that was skipped, a lost connection. To continue, the caller starts a new
 * one where this one stopped. So there is only one way to recover, and it is used every time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy, ReplayPolicy, type ConsumerConfig } from '@nats-io/jetstream';
import { createInbox, nanos, nuid, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { fleet as limits } from '../config.js';
import type { Nats } from './connection.js';
import { asFleetError, FleetError } from './errors.js';
import type { RawMessage } from './message.js';

/** A message, and how many matching ones are stored after it at the moment. */
export interface Delivered extends RawMessage {
  readonly pending: number;
  /** When the server stored it. */
  readonly storedAt: Date;
}

/** Two missed heartbeats, and some slack for a busy machine. */
const maxSilenceMs = 3 * limits.idleHeartbeatMs;

export interface ConsumeOptions {
  /** Only messages of these subjects. */
  readonly filter: string;
  /** The sequence to begin with. Default: the last message of each subject, then new ones. */
  readonly from?: number;
  /** Deliver headers without bodies. */
  readonly headersOnly?: boolean;
  readonly signal: AbortSignal;
}

/**
 * The messages, and once among them `'abreast'`: everything stored at the start has been delivered, and the rest is live.
 * Leaving the loop ends it.
 *
 * @throws VminfodError; the signal's reason.
 */
export async function* consume(
  nats: Nats,
  stream: string,
  options: ConsumeOptions,
): AsyncGenerator<Delivered | 'abreast', never> {
  const { signal } = options;
  signal.throwIfAborted();
  const consumers: Consumer[] = [];
  const onAbort = () => {
    for (const { arrivals } of consumers) arrivals.fail(signal.reason as Error);
  };
  signal.addEventListener('abort', onAbort);
  try {
    const consumer = await firstToAnswer(consumers, () => begin(nats, stream, options), signal);
    for (const other of consumers) if (other !== consumer) other.close();
    consumer.arrivals.heard();
    yield* deliver(nats.connection, stream, consumer.arrivals);
    throw new FleetError(`${stream} ended`);
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const consumer of consumers) consumer.close();
  }
}

/** A consumer on a server, and what it has sent. */
interface Consumer {
  /** Resolves when the server has it. */
  readonly answered: Promise<unknown>;
  readonly arrivals: Arrivals;
  readonly close: () => void;
}

/**
 * A cluster places each consumer on one of its servers at random, for minutes also on one that is dead. So another is
 * begun whenever those before have not answered in time.
 */
async function firstToAnswer(
  consumers: Consumer[],
  next: () => Consumer,
  signal: AbortSignal,
): Promise<Consumer> {
  for (const waitMs of limits.consumerWaitsMs) {
    consumers.push(next());
    const answers = consumers.map((consumer) => consumer.answered.then(() => consumer));
    const first = await Promise.race([...answers, sleep(waitMs, undefined, { signal, ref: false })]).catch(
      (error: unknown) => {
        signal.throwIfAborted();
        throw error;
      },
    );
    if (first !== undefined) return first;
  }
  throw new SilenceError();
}

function begin(
  { connection, manager, inboxPrefix }: Nats,
  stream: string,
  { filter, from, headersOnly = false }: ConsumeOptions,
): Consumer {
  const inbox = createInbox(inboxPrefix);
  const arrivals = new Arrivals();
  const subscription = connection.subscribe(inbox, {
    callback: (error, message) => {
      if (error) arrivals.fail(asFleetError(error, stream));
      else arrivals.add(message);
    },
  });
  const config: Partial<ConsumerConfig> = {
    name: `vminfo_${nuid.next()}`,
    deliver_subject: inbox,
    filter_subject: filter,
    ack_policy: AckPolicy.None,
    replay_policy: ReplayPolicy.Instant,
    ...(from === undefined
      ? { deliver_policy: DeliverPolicy.LastPerSubject }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from }),
    headers_only: headersOnly,
    flow_control: true,
    idle_heartbeat: nanos(limits.idleHeartbeatMs),
    inactive_threshold: nanos(limits.consumerInactiveMs),
    max_deliver: 1,
    mem_storage: true,
    num_replicas: 1,
  };
  const answered = manager.consumers.add(stream, config).catch((error: unknown) => {
    throw asFleetError(error, stream);
  });
  // Nobody waits for it any more once another has answered.
  answered.catch(() => undefined);
  const close = () => {
    arrivals.close();
    subscription.unsubscribe();
  };
  return { answered, arrivals, close };
}

async function* deliver(
  connection: NatsConnection,
  stream: string,
  arrivals: Arrivals,
): AsyncGenerator<Delivered | 'abreast', never> {
  let expected = 1;
  let isAbreast = false;
  for (;;) {
    const message = await arrivals.next();
    if (message.headers?.code === 100) {
      // Flow control waits until we get here; a heartbeat names a flow-control message that we missed.
      const awaited = message.reply ?? message.headers.get('Nats-Consumer-Stalled');
      if (awaited !== '') connection.publish(awaited);
      const last = message.headers.get('Nats-Last-Consumer');
      if (Number(last) >= expected) throw new FleetError(`${stream}: messages were lost on their way`);
      // The server has nothing to deliver.
      if (!isAbreast && last !== '') yield 'abreast';
      isAbreast ||= last !== '';
      continue;
    }
    const { revision, delivery, storedAt, pending } = placeOf(message.reply ?? '');
    if (delivery !== expected++) throw new FleetError(`${stream}: a message was lost on its way`);
    const { subject, data, headers } = message;
    yield { subject, data, revision, pending, storedAt, header: (name) => headers?.get(name) ?? '' };
    if (!isAbreast && pending === 0) yield 'abreast';
    isAbreast ||= pending === 0;
  }
}

/** Where a message is in the stream and in its delivery, as the subject for its acknowledgement says it. */
function placeOf(reply: string): { revision: number; delivery: number; storedAt: Date; pending: number } {
  // `$JS.ACK.<stream>.<consumer>.<delivered>.<stream sequence>.<delivery sequence>.<time>.<pending>`; newer servers
  // have a domain and an account before the stream, and a token at the end.
  const tokens = reply.split('.');
  const [revision, delivery, nanoseconds, pending] =
    tokens.length > 9 ? tokens.slice(7, 11) : tokens.slice(5, 9);
  return {
    revision: Number(revision),
    delivery: Number(delivery),
    storedAt: new Date(Number(nanoseconds) / 1e6),
    pending: Number(pending),
  };
}

/** NATS has sent nothing for longer than it should. */
class SilenceError extends FleetError {
  constructor() {
    super(`NATS has been silent for ${maxSilenceMs} ms`);
  }
}

/** Messages that have arrived but were not taken yet. The server's flow control bounds it. Silence is an error. */
class Arrivals {
  #arrived: Msg[] = [];
  #taking: Msg[] = [];
  #taken = 0;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #silence = setTimeout(() => {
    this.fail(new SilenceError());
  }, maxSilenceMs);

  add(message: Msg): void {
    this.heard();
    this.#arrived.push(message);
    this.#wake?.();
  }

  /** The server has given a sign of life. */
  heard(): void {
    this.#silence.refresh();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  async next(): Promise<Msg> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      const message = this.#taking[this.#taken++];
      if (message !== undefined) return message;
      if (this.#arrived.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
      [this.#taking, this.#arrived, this.#taken] = [this.#arrived, [], 0];
    }
  }

  close(): void {
    clearTimeout(this.#silence);
  }
}
