/**
 * What a run finds: what should not be, and what was compared.
 */
import type { VmEvent } from '../../lib/vm/event.js';
import { differences, type Vms } from './compare.js';
import { Trail } from './trail.js';

/** The findings of one run. */
export class Findings {
  readonly trail = new Trail();
  readonly problems: string[] = [];
  /** Comparisons that were made, by what was compared. */
  readonly checked = new Map<string, number>();
  /** Zones that were away for a moment since the last comparison: these may be deleted and created again. */
  readonly vanished = new Set<string>();

  readonly problem = (problem: string): void => {
    this.trail.note(`PROBLEM ${problem}`);
    this.problems.push(problem);
  };

  isFine(): boolean {
    return this.problems.length === 0;
  }

  count(check: string): void {
    this.checked.set(check, (this.checked.get(check) ?? 0) + 1);
  }

  /** An event that a listener heard who hears each of them once. */
  heard(event: VmEvent): void {
    const { type, zonename, seq } = event;
    const what = type === 'modify' ? event.changes.map(({ prettyPath }) => prettyPath).join(' ') : '';
    this.trail.event(type, `${zonename} seq ${seq} ${what}`);
    if (type === 'delete' && !this.vanished.has(zonename))
      this.problem(`${zonename} was deleted, but was there all the time`);
  }

  /** What happened to a zone, to be appended to a problem. */
  trailOf(zonename: string): string {
    return this.trail
      .of(zonename)
      .map((line) => `\n      ${line}`)
      .join('');
  }

  /** Two views of the VMs that should be the same: a problem for each of the first VMs that differ. */
  compare(what: string, actual: Vms, expected: Vms): void {
    const found = differences(actual, expected);
    for (const { zonename, lines } of found.slice(0, 3)) {
      this.problem(`${what}: ${zonename}: ${lines.join('; ')}${this.trailOf(zonename)}`);
    }
    if (found.length > 3) this.problem(`${what}: ${found.length} VMs differ`);
  }
}
