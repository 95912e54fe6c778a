/**
 * The large copies of VMs that are on their way to clients who have not read them yet. Each is memory for as long as its client
 * takes; so there is a bound on how many there are. Clients who are sent the same bytes share a copy.
 */
import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream';

export interface UnsentCopiesOptions {
  /** Different copies at a time. */
  readonly max: number;
  /** What has fewer bytes is not counted. */
  readonly largeBytes: number;
}

export class UnsentCopies {
  readonly #options: UnsentCopiesOptions;
  /** To how many clients each is on its way. */
  readonly #clients = new Map<Buffer, number>();

  constructor(options: UnsentCopiesOptions) {
    this.#options = options;
  }

  /** Whether another large copy would be refused. */
  get isFull(): boolean {
    return this.#clients.size >= this.#options.max;
  }

  /**
   * Counts bytes as unsent until the response is over, or the function that it returns is called. `undefined`, and nothing
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
