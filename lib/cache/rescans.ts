/**
 * All rescans: those under way, and a record of the latest, for `/status` and for the operator, who must be able to see
 * that the kernel drops events.
 */
import type { Logger } from 'pino';
import { rescanLog as limits } from '../config.js';
import type { SourceName } from '../sources/invalidation.js';
import type { ListedFinding, ListingName } from '../host/findings.js';
import { problemOf } from '../host/problem.js';
import type { Found } from './facts.js';
import type { RescanRequest, Waiter } from './requests.js';
import { Rescan, type Difference } from './rescan.js';

/** A finished rescan; when, by process.hrtime. */
export interface RescanRecord {
  readonly startedNs: bigint;
  readonly endedNs: bigint;
  readonly reason: string;
  readonly found: readonly Difference[];
}

/** What a rescan could not read. */
export interface RescanFailure {
  readonly error: string;
  /** Identical for all errors with the same cause; see problem.ts. */
  readonly problem: string;
  /** When the rescan ended. */
  readonly endedNs: bigint;
}

/** The latest rescans, and counts of all. */
export interface RescanLog {
  readonly records: readonly RescanRecord[];
  readonly failures: readonly RescanFailure[];
  /** How many rescans read everything, and how many failed to, since the daemon started. */
  readonly complete: number;
  readonly failed: number;
  /** Differences that only a rescan found since the daemon started, by the source that should have reported them. */
  readonly found: Readonly<Record<SourceName, number>>;
}

/** All rescans of a daemon. */
export class Rescans implements RescanLog {
  readonly records: RescanRecord[] = [];
  readonly failures: RescanFailure[] = [];
  readonly found = { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 };
  complete = 0;
  failed = 0;
  readonly #log: Logger;
  readonly #underWay = new Set<Rescan>();
  readonly #failedInARow = { everything: 0, datasets: 0 };
  /** Per zone, how many requests are open because a source named it. */
  readonly #told = new Map<string, number>();
  /** Why the last attempt at each listing failed. */
  readonly #withoutListing = new Map<ListingName, Error>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Begins a rescan. `done` is called when all requests made for it are answered; `end` must follow. */
  begin(request: RescanRequest, done: (rescan: Rescan) => void): Rescan {
    const rescan = new Rescan(request, (...which) => this.#told.has(which.join(' ')), done);
    this.#underWay.add(rescan);
    return rescan;
  }

  /** A rescan's listing has arrived, or failed. */
  listed({ what, names, errors, occasion: { rescan } }: Found<ListedFinding>): void {
    const [error] = errors;
    if (names === undefined && error !== undefined) this.#withoutListing.set(what, error);
    else this.#withoutListing.delete(what);
    if (rescan === undefined) return;
    rescan.listings.delete(what);
    rescan.errors.push(...errors);
    if (what === 'zoneadm list') rescan.zones = names?.size ?? 0;
    // A rescan is still useful without the other listings: a VM keeps what it has from them.
    if (names === undefined && (what === 'zoneadm list' || what === 'zfs list')) rescan.isComplete = false;
  }

  /** What the first load waits for, in words. Never empty: a client that is told to wait must be told for what. */
  awaiting(): readonly string[] {
    const rescans = [...this.#underWay];
    const listings = new Set([
      ...rescans.flatMap((each) => [...each.listings]),
      ...this.#withoutListing.keys(),
    ]);
    const words = [...listings].map((what) => {
      const error = this.#withoutListing.get(what);
      return error === undefined ? what : `${what}, which failed and is tried again: ${error.message}`;
    });
    const open = rescans.reduce((sum, each) => sum + each.open, 0);
    if (words.length > 0) return words;
    return [open > 0 ? `${open} readings of zones and datasets` : 'sources'];
  }

  /** A source reports these zones. Until the readings that this causes are done, rescans report no differences in them. */
  told(source: SourceName, zonenames: readonly string[]): Waiter {
    for (const rescan of this.#underWay) for (const zonename of zonenames) rescan.told(source, zonename);
    const count = (by: 1 | -1) => () => {
      for (const zonename of zonenames) {
        const key = `${source} ${zonename}`;
        const open = (this.#told.get(key) ?? 0) + by;
        if (open === 0) this.#told.delete(key);
        else this.#told.set(key, open);
      }
    };
    return { began: count(1), ended: count(-1) };
  }

  /** Records a rescan and writes one line to the log. Returns how many of its scope have failed in a row. */
  end(rescan: Rescan): number {
    const { scope, reason, startedNs, found, errors, isComplete } = rescan;
    const endedNs = process.hrtime.bigint();
    this.#underWay.delete(rescan);
    if (isComplete) this.complete++;
    else this.failed++;
    this.#failedInARow[scope] = isComplete ? 0 : this.#failedInARow[scope] + 1;
    this.records.push({ startedNs, endedNs, reason, found: found.slice(0, limits.maxFound) });
    if (this.records.length > limits.maxRecords) this.records.shift();
    for (const error of errors) {
      this.failures.push({ error: error.message, problem: problemOf(error), endedNs });
      if (this.failures.length > limits.maxFailures) this.failures.shift();
    }
    // A rescan of only the datasets answers an event, so what it finds was not missed.
    const missed = scope === 'everything' ? found : [];
    for (const { source } of missed) this.found[source]++;
    this.#write(rescan, missed, endedNs);
    return this.#failedInARow[scope];
  }

  #write(
    { reason, zones, datasets, found, errors, startedNs }: Rescan,
    missed: readonly Difference[],
    endedNs: bigint,
  ): void {
    const took = `took ${(Number(endedNs - startedNs) / 1e9).toFixed(3)}s`;
    const what = `rescan (${reason}): ${zones} zones, ${datasets} datasets, ${found.length} changes (${missed.length} missed), ${errors.length} errors, ${took}`;
    if (missed.length === 0 && errors.length === 0) {
      this.#log.info(what);
      return;
    }
    const examples = missed.slice(0, limits.maxExamples);
    const details = {
      missed: examples.map(({ source, event }) => `${source}: ${event.type} ${event.zonename}`),
      errors: errors.map(({ message }) => message),
    };
    this.#log.warn(details, what);
  }
}
