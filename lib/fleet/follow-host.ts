/**
 * The host's side of the comparison: feeds the daemon's events to the Reconciler. While the daemon is away, its last
 * state stands.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { VminfodClient } from '../client/client.js';
import { NotFoundError, NotReadyError } from '../client/errors.js';
import { fleet as limits } from '../config.js';
import type { VmObject } from '../vm/vm-object.js';
import { Backoff } from './backoff.js';
import { hashOf } from './message.js';
import type { Reconciler } from './reconciler.js';
import { redaction, type RedactionOptions } from './redact.js';

export interface HostSideOptions extends RedactionOptions {
  readonly client: VminfodClient;
  readonly reconciler: Reconciler;
}

/** Feeds the daemon's events into the reconciler. */
export class HostSide {
  readonly #client: VminfodClient;
  readonly #reconciler: Reconciler;
  readonly #redact: (vm: VmObject) => VmObject;

  constructor({ client, reconciler, ...redactionOptions }: HostSideOptions) {
    this.#client = client;
    this.#reconciler = reconciler;
    this.#redact = redaction(redactionOptions);
  }

  /**
   * Follows the daemon until the signal, with whose reason it rejects.
   *
   * @param onReady All VMs have been delivered: the first time, and again after each loss that could not be resumed.
   * @param onTrouble The daemon cannot be followed; it is retried.
   */
  async follow(
    {
      onReady,
      onChange,
      onTrouble,
    }: { onReady: () => void; onChange: () => void; onTrouble: (error: Error) => void },
    signal: AbortSignal,
  ): Promise<never> {
    const backoff = new Backoff(limits.backoffMinMs, limits.backoffMaxMs);
    for (;;) {
      try {
        for await (const event of this.#client.events({ signal })) {
          backoff.reset();
          if (event.type === 'ready') {
            this.take(event.vms, event.date);
            onReady();
            continue;
          }
          if (event.type === 'delete') this.#reconciler.remove(event.zonename, event.date);
          else this.#put(event.vm, event.date);
          onChange();
        }
      } catch (error) {
        signal.throwIfAborted();
        onTrouble(error as Error);
        await sleep(backoff.next(), undefined, { signal });
      }
    }
  }

  /** Called with all VMs that the daemon has. */
  take(vms: readonly VmObject[], at: string): void {
    this.#reconciler.keepOnly(new Set(vms.map(({ zonename }) => zonename)));
    for (const vm of vms) this.#put(vm, at);
  }

  /**
   * Asks the daemon about VMs that are in the stream but that it has not mentioned. A VM that could not be read, and so
   * may exist, is left as it is.
   *
   * @throws VminfodError
   */
  async account(zonenames: readonly string[], signal: AbortSignal): Promise<void> {
    const questions = [...zonenames];
    const ask = async () => {
      for (let zonename = questions.pop(); zonename !== undefined; zonename = questions.pop()) {
        const now = new Date().toISOString();
        try {
          this.#put(await this.#client.vm(zonename, { signal }), now);
        } catch (error) {
          if (error instanceof NotFoundError) this.#reconciler.remove(zonename, now);
          else if (!(error instanceof NotReadyError)) throw error;
        }
      }
    };
    await Promise.all(Array.from({ length: limits.maxQuestions }, ask));
  }

  #put(vm: VmObject, at: string): void {
    if (String(vm.do_not_inventory) === 'true') {
      this.#reconciler.remove(vm.zonename, at);
      return;
    }
    const redacted = this.#redact(vm);
    this.#reconciler.put(vm.zonename, { vm: redacted, hash: hashOf(redacted), at });
  }
}
