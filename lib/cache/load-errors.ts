/**
 * What could not be read, for which zone, and when it will be retried. An error stays until a reading succeeds.
 */
import type { Logger } from 'pino';
import { backoffLimits } from '../config.js';
import { problemOf } from '../host/problem.js';
import { backoff } from '../operators/backoff.js';
import { datasetOf } from '../vm/dataset-names.js';
import type { ZoneInput } from '../vm/inputs.js';
import type { ListingNeed } from '../vm/listing-needs.js';

/** An input of a zone that can fail on its own. */
export type FailingInput = ZoneInput | 'datasets';

/** An error as `/status` shows it. */
export interface LoadError {
  readonly zone: string;
  readonly input: FailingInput;
  readonly error: string;
  /** Identical for all zones whose errors have the same cause. */
  readonly problem: string;
  /** When it first failed, ISO. */
  readonly since: string;
  /** When it will be read again, ISO; sooner if an event arrives. */
  readonly nextRetry: string;
}

interface Failure {
  readonly zone: string;
  readonly input: FailingInput;
  /** The listings concerned, by the name of what they were to list, when the input is `datasets`; otherwise empty. */
  readonly listings: Map<string, FailedListing>;
  readonly sinceMs: number;
  error: Error;
  /** The clock when the last reading that failed began. */
  readAt: number;
  attempts: number;
  nextRetryMs: number;
}

/** A dataset or snapshot that could not be listed. */
export interface FailedListing extends ListingNeed {
  /** The clock when the reading began. */
  readonly readAt: number;
}

/** The inputs that cannot be read at the moment: at most one error per zone and input. */
export class LoadErrors {
  readonly #failures = new Map<string, Failure>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** As nearly always: then a rescan need not look for errors that it has settled. */
  get isEmpty(): boolean {
    return this.#failures.size === 0;
  }

  /** Records a failed reading, of datasets with what was to be listed. Returns in how many ms to try again. New errors are logged. */
  failed(zone: string, input: FailingInput, error: Error, readAt: number, listing?: ListingNeed): number {
    const nowMs = Date.now();
    const failure = this.#failures.get(keyOf(zone, input)) ?? {
      ...{ zone, input, listings: new Map<string, FailedListing>(), sinceMs: nowMs },
      ...{ error, readAt, attempts: 0, nextRetryMs: 0 },
    };
    const isNews = failure.attempts === 0 || failure.error.message !== error.message;
    const retryAfterMs = backoff(++failure.attempts, backoffLimits.minMs, backoffLimits.maxMs);
    Object.assign(failure, { error, readAt, nextRetryMs: nowMs + retryAfterMs });
    if (listing !== undefined) failure.listings.set(listing.name, { ...listing, readAt });
    this.#failures.set(keyOf(zone, input), failure);
    if (isNews) this.#log.warn({ zonename: zone }, `cannot read ${input} of zone ${zone}: ${error.message}`);
    return retryAfterMs;
  }

  /** Records a reading that began then and succeeded; a dataset is given by its name. If this clears an error, that is logged. */
  mended(zone: string, input: FailingInput, readAt: number, name?: string): void {
    if (!this.#forget(zone, input, name, readAt)) return;
    this.#log.info({ zonename: zone }, `${input} of zone ${zone} is readable again`);
  }

  /** Drops the errors of all datasets of the zone but these. */
  keepDatasets(zone: string, names: ReadonlySet<string>): void {
    for (const { name } of this.listingsOf(zone)) {
      if (!names.has(datasetOf(name))) this.#forget(zone, 'datasets', name);
    }
  }

  /** Which listings for a zone failed. */
  listingsOf(zone: string): readonly FailedListing[] {
    return [...(this.#failures.get(keyOf(zone, 'datasets'))?.listings.values() ?? [])];
  }

  /** Whether this input cannot be read at the moment. */
  has(zone: string, input: FailingInput, name?: string): boolean {
    const failure = this.#failures.get(keyOf(zone, input));
    return failure !== undefined && (name === undefined || failure.listings.has(name));
  }

  /** A zone that is gone has no errors. */
  remove(zone: string): void {
    for (const [key, failure] of this.#failures) if (failure.zone === zone) this.#failures.delete(key);
  }

  /** All errors, oldest first. */
  list(): readonly LoadError[] {
    return [...this.#failures.values()].map(({ zone, input, error, sinceMs, nextRetryMs }) => ({
      zone,
      input,
      error: error.message,
      problem: problemOf(error, zone),
      since: new Date(sinceMs).toISOString(),
      nextRetry: new Date(nextRetryMs).toISOString(),
    }));
  }

  /** True if this cleared an error. A reading that began before the one that failed clears none. */
  #forget(zone: string, input: FailingInput, name?: string, readAt = Infinity): boolean {
    if (this.isEmpty) return false;
    const failure = this.#failures.get(keyOf(zone, input));
    if (failure === undefined) return false;
    const failed = name === undefined ? failure : failure.listings.get(name);
    if (failed !== undefined && readAt < failed.readAt) return false;
    if (name !== undefined) failure.listings.delete(name);
    return failure.listings.size === 0 && this.#failures.delete(keyOf(zone, input));
  }
}

function keyOf(zone: string, input: FailingInput): string {
  return `${zone}\n${input}`;
}
