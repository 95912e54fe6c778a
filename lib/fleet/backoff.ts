/** How long to wait before trying again: doubling, up to a limit, half of it random so that a fleet spreads out. */
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
    const ceiling = Math.min(this.#maxMs, this.#minMs * 2 ** this.#attempts++);
    return ceiling / 2 + (Math.random() * ceiling) / 2;
  }

  /** It worked. */
  reset(): void {
    this.#attempts = 0;
  }
}
