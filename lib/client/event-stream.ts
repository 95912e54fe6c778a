/** `client.events()`: an AsyncIterable over the daemon's events. Each iteration is a stream of its own. */
import { follow, type FollowOptions } from './follow.js';
import type { StreamEvent } from './events.js';
import { joinSignals } from './join-signals.js';
import type { Transport } from './transport.js';

/**
 * Leaving the loop (`break`, an exception) closes the connection. So does calling the iterator's `return()` while
 * a `next()` is pending, which an async generator alone would leave waiting for the next event.
 */
export class EventStream implements AsyncIterable<StreamEvent> {
  readonly #transport: Transport;
  readonly #options: Omit<FollowOptions, 'signal'>;
  readonly #signals: readonly (AbortSignal | undefined)[];

  /** @param signals Each ends the stream, with its reason. */
  constructor(
    transport: Transport,
    options: Omit<FollowOptions, 'signal'>,
    signals: readonly (AbortSignal | undefined)[],
  ) {
    this.#transport = transport;
    this.#options = options;
    this.#signals = signals;
  }

  [Symbol.asyncIterator](): Leavable {
    const left = new AbortController();
    const joined = joinSignals(...this.#signals, left.signal);
    const events = follow(this.#transport, { ...this.#options, signal: joined.signal });
    const done = { done: true, value: undefined } as const;
    return {
      next: async () => {
        try {
          joined.signal.throwIfAborted();
          const result = await events.next();
          joined.signal.throwIfAborted(); // Events that arrived by then are no longer delivered.
          return result;
        } catch (error) {
          joined.release();
          await events.return(undefined as never);
          if (left.signal.aborted) return done;
          throw error;
        }
      },
      return: async () => {
        left.abort();
        joined.release();
        await events.return(undefined as never);
        return done;
      },
    };
  }

  /**
   * For RxJS: `from()` prefers this to the AsyncIterable, with which an unsubscribe would take effect only at the next
   * event and the connection would stay open until then.
   */
  ['@@observable'](): this {
    return this;
  }

  subscribe(observer: Observer): { unsubscribe(): void } {
    const iterator = this[Symbol.asyncIterator]();
    void deliver({ [Symbol.asyncIterator]: () => iterator }, observer);
    return { unsubscribe: () => void iterator.return() };
  }
}

interface Leavable extends AsyncIterator<StreamEvent, undefined> {
  return(): Promise<IteratorResult<StreamEvent, undefined>>;
}

interface Observer {
  next(event: StreamEvent): void;
  error(error: unknown): void;
  complete(): void;
}

async function deliver(events: AsyncIterable<StreamEvent>, observer: Observer): Promise<void> {
  try {
    for await (const event of events) observer.next(event);
  } catch (error) {
    observer.error(error);
    return;
  }
  observer.complete();
}
