/**
 * When a source first named a zone whose reading is not over, so that it can be told how long a change took to be
 * served. One number per zone that is being read.
 */

/** The open notices. Times are `performance.now()`. */
export interface Notices {
  /** A source named a zone. The first time counts. */
  notice(zonename: string, at: number): void;
  /** A change was found: since when it was known that there may be one. What is found later is another change. */
  readonly take: (zonename: string) => number | undefined;
  /** The reading that is ending will be repeated, for the same notice. */
  keep(zonename: string): void;
  /** The reading is over. */
  settle(zonename: string): void;
}

/** No notices. */
export function createNotices(): Notices {
  const noticed = new Map<string, number>();
  const kept = new Set<string>();
  return {
    notice: (zonename, at) => {
      if (!noticed.has(zonename)) noticed.set(zonename, at);
    },
    take: (zonename) => {
      const at = noticed.get(zonename);
      noticed.delete(zonename);
      return at;
    },
    keep: (zonename) => {
      if (noticed.has(zonename)) kept.add(zonename);
    },
    settle: (zonename) => {
      if (!kept.delete(zonename)) noticed.delete(zonename);
    },
  };
}
