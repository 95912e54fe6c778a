/**
 * Large copies of VMs in transit to clients that have not read them yet. Each takes memory until its client has read it,
 * so their number is bounded. Clients that get the same bytes share a copy.
 */
import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream';

export interface UnsentCopiesOptions {
  /** Distinct copies at a time. */
  readonly max: number;
  /** Smaller ones are not counted. */
  readonly largeBytes: number;
}

export class UnsentCopies {
  readonly #options: UnsentCopiesOptions;
  /** The number of clients to which each is in transit. */
  readonly #clients = new Map<Buffer, number>();

  constructor(options: UnsentCopiesOptions) {
    this.#options = options;
  }

  /** Whether another large copy would be refused. */
  get isFull(): boolean {
    return this.#clients.size >= this.#options.max;
  }

  /**
   * Counts bytes as unsent until the response ends, or the returned function is called. `undefined`, with nothing
   * counted, when there is no room for them.
   */
  hold(bytes: Buffer, response: ServerResponse): (() => void) | undefined {
    if (bytes.length < this.#options.largeBytes) return () => undefined;
    const clients = this.#clients.get(bytes);
    if (clients === undefined && this.isFull) return undefined;
    this.#clients.set(bytes, (clients ?? 0) + 1);
    let isHeld = true;
    const release = () => {
      if (isHeld) this.#release(bytes);
      isHeld = false;
    };
    finished(response, release);
    return release;
  }

  #release(bytes: Buffer): void {
    const clients = this.#clients.get(bytes) ?? 0;
    if (clients > 1) this.#clients.set(bytes, clients - 1);
    else this.#clients.delete(bytes);
  }
}
