/** A rescan: what it waits for, what it finds, and what of that the sources should have told. */
import { rescanLog as limits } from '../config.js';
import type { ListingName } from '../host/findings.js';
import type { SourceName } from '../sources/invalidation.js';
import type { RescanRequest, Waiter } from './requests.js';
import type { Commit, EventHead } from './vm-store.js';

/** A difference that only a rescan found, and the source that should have told of it. */
export interface Difference {
  readonly source: SourceName;
  readonly event: EventHead;
}

/** A rescan, from its beginning to its end. It ends when nothing that was asked for its sake is open. */
export class Rescan implements Waiter {
  readonly scope: RescanRequest['scope'];
  readonly reason: string;
  readonly started = new Date();
  found: (Difference & { readonly at: number })[] = [];
  readonly errors: Error[] = [];
  /** What it still waits for. */
  readonly listings: Set<ListingName>;
  /** False when zoneadm or zfs gave no listing: then it is to be done again. */
  isComplete = true;
  zones = 0;
  datasets = 0;
  /** Requests that are open for its sake. */
  open = 0;
  readonly #done: (rescan: Rescan) => void;
  readonly #isTold: (source: SourceName, zonename: string) => boolean;

  constructor(
    { scope, reason }: RescanRequest,
    isTold: (source: SourceName, zonename: string) => boolean,
    done: (rescan: Rescan) => void,
  ) {
    this.#isTold = isTold;
    this.scope = scope;
    this.reason = reason;
    this.listings = new Set(scope === 'everything' ? ['zfs list', 'zoneadm list', 'kstat'] : ['zfs list']);
    this.#done = done;
  }

  began(): void {
    this.open++;
  }

  ended(): void {
    if (--this.open === 0) this.#done(this);
  }

  /** Takes in a difference, unless its source has told of the zone, and that is still being read. */
  finds(source: SourceName, { event }: Commit): void {
    if (this.#isTold(source, event.zonename)) return;
    this.found.push({ source, event, at: performance.now() });
  }

  /** A source tells of a zone. What was found of it a moment ago, the rescan was just quicker to find. */
  told(by: SourceName, zonename: string): void {
    const isOld = (at: number) => performance.now() - at > limits.graceMs;
    this.found = this.found.filter(
      ({ source, event, at }) => source !== by || event.zonename !== zonename || isOld(at),
    );
  }
}
