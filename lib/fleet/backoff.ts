/** How long to wait before the next attempt, for something that is retried until it works. */
import { backoff } from '../operators/backoff.js';

/** Counts the attempts since it last worked. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #attempts = 0;

  constructor(minMs: number, maxMs: number) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
  }

  /** The next delay, ms. */
  next(): number {
    return backoff(++this.#attempts, this.#minMs, this.#maxMs);
  }

  /** It worked. */
  reset(): void {
    this.#attempts = 0;
  }
}
