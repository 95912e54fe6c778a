/** A rescan: what it waits for, what it finds, and which of that the sources should have reported. */
import { rescanLog as limits } from '../config.js';
import type { ListingName } from '../host/findings.js';
import type { SourceName } from '../sources/invalidation.js';
import type { RescanRequest, Waiter } from './requests.js';
import type { Commit, EventHead } from './vm-store.js';

/** A difference that only a rescan found, and the source that should have reported it. */
export interface Difference {
  readonly source: SourceName;
  readonly event: EventHead;
}

/** A rescan, from beginning to end. It ends when no request made for it is open. */
export class Rescan implements Waiter {
  readonly scope: RescanRequest['scope'];
  readonly reason: string;
  /** By process.hrtime: somebody may set the clock meanwhile. */
  readonly startedNs = process.hrtime.bigint();
  found: (Difference & { readonly at: number })[] = [];
  readonly errors: Error[] = [];
  /** What it still waits for. */
  readonly listings: Set<ListingName>;
  /** False when zoneadm or zfs gave no listing: then it must be repeated. */
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

  /** Records a difference, unless its source has already reported the zone and that is still being read. */
  finds(source: SourceName, { event }: Commit): void {
    if (this.#isTold(source, event.zonename)) return;
    this.found.push({ source, event, at: performance.now() });
  }

  /** A source reports a zone. Differences found in it a moment ago were not missed: the rescan was just quicker. */
  told(by: SourceName, zonename: string): void {
    const isOld = (at: number) => performance.now() - at > limits.graceMs;
    this.found = this.found.filter(
      ({ source, event, at }) => source !== by || event.zonename !== zonename || isOld(at),
    );
  }
}
