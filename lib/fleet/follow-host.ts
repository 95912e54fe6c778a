/**
 * The host's side of the comparison: what the daemon tells, as the Reconciler wants it. While the daemon is away, the
 * last that it said holds.
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

/** Puts what the daemon says into the reconciler. */
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
   * @param onReady All VMs were told: the first time, and each time that the daemon was lost for good.
   * @param onTrouble The daemon cannot be followed; it is tried again.
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

  /** These are all VMs that the daemon has. */
  take(vms: readonly VmObject[], at: string): void {
    this.#reconciler.keepOnly(new Set(vms.map(({ zonename }) => zonename)));
    for (const vm of vms) this.#put(vm, at);
  }

  /**
   * Asks for VMs that the stream has and of which the daemon has said nothing. One that could not be read, and so may
   * well be there, is left as it is.
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
