/** `client.events()`: an AsyncIterable over the daemon's events. Each iteration is a stream of its own. */
import { follow, type FollowOptions } from './follow.js';
import type { StreamEvent } from './events.js';
import type { Transport } from './transport.js';

/**
 * Leaving the loop (`break`, an exception) closes the connection. So does calling the iterator's `return()` while
 * a `next()` is pending, which an async generator alone would leave waiting for the next event.
 */
export class EventStream implements AsyncIterable<StreamEvent> {
  readonly #transport: Transport;
  readonly #options: FollowOptions;

  constructor(transport: Transport, options: FollowOptions) {
    this.#transport = transport;
    this.#options = options;
  }

  [Symbol.asyncIterator](): AsyncIterator<StreamEvent, undefined> {
    const left = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, left.signal]);
    const events = follow(this.#transport, { ...this.#options, signal });
    const done = { done: true, value: undefined } as const;
    return {
      next: () =>
        events.next().catch((error: unknown) => {
          if (left.signal.aborted) return done;
          throw error;
        }),
      return: async () => {
        left.abort();
        await events.return(undefined as never);
        return done;
      },
    };
  }
}
