/**
 * What could not be read, of which zone, and when it is tried again. An error stays until a reading succeeds.
 */
import { backoffLimits } from '../config.js';
import { backoff } from '../sources/restarting.js';
import type { ZoneInput } from '../sources/invalidation.js';

/** An input of a zone that can fail on its own. */
export type FailingInput = ZoneInput | 'datasets';

/** As `/status` shows it. */
export interface LoadError {
  readonly zone: string;
  readonly input: FailingInput;
  readonly error: string;
  /** When it first failed, ISO. */
  readonly since: string;
  /** When it is read again, ISO; sooner if an event comes. */
  readonly nextRetry: string;
}

interface Failure {
  readonly zone: string;
  readonly input: FailingInput;
  error: string;
  readonly sinceMs: number;
  attempts: number;
  nextRetryMs: number;
}

/** The inputs that cannot be read at the moment. There is at most one per zone and input. */
export class LoadErrors {
  readonly #failures = new Map<string, Failure>();

  /** Records a failed reading. True if the same error was not known already. */
  failed(zone: string, input: FailingInput, error: Error, nowMs: number): boolean {
    const known = this.#failures.get(keyOf(zone, input));
    const failure = known ?? { zone, input, error: '', sinceMs: nowMs, attempts: 0, nextRetryMs: 0 };
    const isNews = failure.error !== error.message;
    failure.error = error.message;
    failure.attempts++;
    failure.nextRetryMs = nowMs + backoff(failure.attempts, backoffLimits.minMs, backoffLimits.maxMs);
    this.#failures.set(keyOf(zone, input), failure);
    return isNews;
  }

  /** Records a good reading. True if there was an error. */
  mended(zone: string, input: FailingInput): boolean {
    return this.#failures.delete(keyOf(zone, input));
  }

  /** A zone that is gone has no errors. */
  remove(zone: string): void {
    for (const [key, failure] of this.#failures) if (failure.zone === zone) this.#failures.delete(key);
  }

  /** The errors of a zone, worst first: what keeps it from being loaded at all. */
  of(zone: string): readonly LoadError[] {
    return this.list().filter((each) => each.zone === zone);
  }

  /** All of them, the oldest first. */
  list(): readonly LoadError[] {
    return [...this.#failures.values()].map(({ zone, input, error, sinceMs, nextRetryMs }) => ({
      zone,
      input,
      error,
      since: new Date(sinceMs).toISOString(),
      nextRetry: new Date(nextRetryMs).toISOString(),
    }));
  }

  /** What is to be read again now; each is due again only after the next failure, or the longest wait. */
  due(nowMs: number): readonly { readonly zone: string; readonly input: FailingInput }[] {
    const due = [...this.#failures.values()].filter(({ nextRetryMs }) => nextRetryMs <= nowMs);
    for (const failure of due) failure.nextRetryMs = nowMs + backoffLimits.maxMs;
    return due;
  }
}

function keyOf(zone: string, input: FailingInput): string {
  return `${zone}\n${input}`;
}
