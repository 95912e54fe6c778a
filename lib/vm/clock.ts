/**
 * A logical clock: each reading gets a number when it begins, and so does each announcement. A reading that began at 7
 * has seen whatever was true at 6; older data never replaces newer.
 */
export class Clock {
  readonly #underWay = new Set<number>();
  #now = 0;

  /** The number of an announcement that arrives now: readings that begin later have seen it. */
  get now(): number {
    return this.#now;
  }

  /** A reading begins. `end` must follow. */
  begin(): number {
    this.#underWay.add(++this.#now);
    return this.#now;
  }

  /** A reading is over, and everything it found is in the state. */
  end(readAt: number): void {
    this.#underWay.delete(readAt);
  }

  /** When the oldest reading under way began; all readings have seen what happened before that. */
  get oldest(): number {
    for (const readAt of this.#underWay) return readAt; // In the order in which they began.
    return Infinity;
  }
}
