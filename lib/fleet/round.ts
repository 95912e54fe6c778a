/**
 * Writes with a bounded number of messages in flight, one per VM, until the first problem. Then no more are begun, those
 * in flight are waited for, and the round is over.
 */
import { fleet as limits } from '../config.js';
import type { Reconciler, Write } from './reconciler.js';

export interface RoundOptions {
  readonly reconciler: Reconciler;
  /** Writes. Resolves with the message's sequence, or `undefined` when NATS will never accept it. */
  readonly write: (write: Write) => Promise<number | undefined>;
}

export class Round {
  readonly #options: RoundOptions;
  /** Resolves, when nothing is in flight any more, with what ended the round. */
  readonly over: Promise<Error>;
  #resolve: (reason: Error) => void = () => undefined;
  #inFlight = 0;
  #reason: Error | undefined;

  constructor(options: RoundOptions) {
    this.#options = options;
    this.over = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Begins pending writes. */
  kick(): void {
    while (this.#reason === undefined && this.#inFlight < limits.maxInFlight) {
      const write = this.#options.reconciler.next();
      if (write === undefined) return;
      this.#inFlight++;
      void this.#run(write);
    }
  }

  /** Ends the round. The first reason counts. */
  end(reason: Error): void {
    this.#reason ??= reason;
    if (this.#inFlight === 0) this.#resolve(this.#reason);
  }

  async #run(write: Write): Promise<void> {
    const { reconciler } = this.#options;
    try {
      const revision = await this.#options.write(write);
      if (revision === undefined) reconciler.refuse(write);
      else reconciler.wrote(write, revision);
    } catch (error) {
      reconciler.failed(write);
      this.#reason ??= error as Error;
    }
    this.#inFlight--;
    if (this.#reason !== undefined) this.end(this.#reason);
    else this.kick();
  }
}
