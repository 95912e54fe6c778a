/**
 * The latest commits, so that a client that lost its connection can resume where it left off. Bounded by count and bytes;
 * it always knows whether it reaches back far enough, so nobody gets a gap. It keeps only the serialised bytes of VMs.
 */
import { eventLog as limits } from '../config.js';
import { VmInBytes, lengthOf } from '../vm/vm-bytes.js';
import type { Commit, StoredVm } from './vm-store.js';

/** The latest commits, added in order of their `seq` and without a gap. */
export class EventLog {
  // Commits before `start` are dropped; the array is trimmed only occasionally, so that adding stays O(1).
  #commits: (Commit | undefined)[] = [];
  #start = 0;
  #bytes = 0;
  #seq = 0;
  readonly #maxEvents: number;
  readonly #maxBytes: number;

  constructor(maxEvents: number = limits.maxEvents, maxBytes: number = limits.maxBytes) {
    this.#maxEvents = maxEvents;
    this.#maxBytes = maxBytes;
  }

  /** The `seq` of the last commit; 0 before the first. */
  get seq(): number {
    return this.#seq;
  }

  /** How far back it reaches; `undefined` when it is empty. */
  get oldest(): Commit | undefined {
    return this.#commits[this.#start];
  }

  /** All commits after `seq`, oldest first; `undefined` when some of them have been dropped, or `seq` is in the future. */
  after(seq: number): readonly Commit[] | undefined {
    const count = this.#seq - seq;
    if (count < 0 || count > this.#commits.length - this.#start) return undefined;
    return this.#commits.slice(this.#commits.length - count) as Commit[];
  }

  add({ seq, event, stored, previous, noticedAt }: Commit): void {
    this.#commits.push({ seq, event, stored: inBytes(stored), previous: inBytes(previous), noticedAt });
    this.#seq = seq;
    this.#bytes += lengthOf(stored?.bytes ?? []);
    while (this.#commits.length - this.#start > this.#maxEvents || this.#bytes > this.#maxBytes)
      this.#dropOldest();
  }

  #dropOldest(): void {
    this.#bytes -= lengthOf(this.#commits[this.#start]?.stored?.bytes ?? []);
    this.#commits[this.#start++] = undefined;
    if (this.#start < this.#maxEvents) return;
    this.#commits = this.#commits.slice(this.#start);
    this.#start = 0;
  }
}

function inBytes(stored: StoredVm | undefined): StoredVm | undefined {
  return stored && new VmInBytes(stored.bytes, stored.seq);
}
