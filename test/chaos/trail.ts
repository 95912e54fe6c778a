/**
 * What a run did and saw: counts by kind, and the last lines in full, so that a difference at the end can be traced to
 * what happened to that zone.
 */

const maxLines = 20_000;

/** The record of one run. */
export class Trail {
  readonly actions = new Map<string, number>();
  readonly faults = new Map<string, number>();
  readonly events = new Map<string, number>();
  /** Actions that the host refused, as a real one would: no such snapshot, the zone runs already, … */
  refused = 0;
  readonly #startedAt = Date.now();
  readonly #lines: string[] = [];

  action(kind: string, detail: string): void {
    count(this.actions, kind);
    this.note(`action ${kind}: ${detail}`);
  }

  fault(kind: string, detail: string): void {
    count(this.faults, kind);
    this.note(`fault ${kind}: ${detail}`);
  }

  event(kind: string, detail: string): void {
    count(this.events, kind);
    this.note(`event ${kind}: ${detail}`);
  }

  note(line: string): void {
    this.#lines.push(this.#timed(line));
    if (this.#lines.length > maxLines) this.#lines.splice(0, maxLines / 2);
  }

  /** The last lines that say something of this zone, up to now. */
  of(zonename: string, last = 25): readonly string[] {
    return [...this.#lines.filter((line) => line.includes(zonename)).slice(-last), this.#timed('now')];
  }

  #timed(line: string): string {
    return `${((Date.now() - this.#startedAt) / 1000).toFixed(3)} ${line}`;
  }
}

/** All counts together. */
export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, each) => sum + each, 0);
}

function count(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}
