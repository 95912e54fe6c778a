/**
 * The last commits, so that who lost the connection can go on where it was. Bounded by count and bytes; it always
 * knows whether it reaches back far enough, so that nobody gets a gap. Of the VMs it keeps the bytes only.
 */
import { eventLog as limits } from '../config.js';
import type { VmObject } from '../vm/vm-object.js';
import type { Commit, StoredVm } from './vm-store.js';

/** What happened last. */
export interface EventLog {
  /** The `seq` of the last commit; 0 before the first. */
  readonly seq: number;
  /** How far back it reaches; `undefined` when nothing is in it. */
  readonly oldest: Commit | undefined;
  /** All commits after `seq`, the oldest first; `undefined` when some are no longer there, or `seq` is yet to come. */
  after(seq: number): readonly Commit[] | undefined;
}

/** A log that commits can be added to, in order of their `seq` and without a gap. */
export interface WritableEventLog extends EventLog {
  add(commit: Commit): void;
}

/** An empty log. */
export function createEventLog(
  maxEvents: number = limits.maxEvents,
  maxBytes: number = limits.maxBytes,
): WritableEventLog {
  // Commits before `start` are dropped; the array is cut only now and then, so that adding stays O(1).
  let commits: (Commit | undefined)[] = [];
  let start = 0;
  let bytes = 0;
  let seq = 0;

  const dropOldest = () => {
    bytes -= sizeOf(commits[start]);
    commits[start++] = undefined;
    if (start < maxEvents) return;
    commits = commits.slice(start);
    start = 0;
  };

  return {
    get seq() {
      return seq;
    },
    get oldest() {
      return commits[start];
    },
    add: (commit) => {
      commits.push({ ...commit, stored: inBytes(commit.stored), previous: inBytes(commit.previous) });
      seq = commit.seq;
      bytes += sizeOf(commit);
      while (commits.length - start > maxEvents || bytes > maxBytes) dropOldest();
    },
    after: (from) => {
      const count = seq - from;
      if (count < 0 || count > commits.length - start) return undefined;
      return commits.slice(commits.length - count) as Commit[];
    },
  };
}

function sizeOf(commit: Commit | undefined): number {
  return commit?.stored?.bytes.length ?? 0;
}

/** The same VM, whose object is made of its bytes whenever somebody, who selects by it, asks: it takes twice their memory. */
function inBytes(stored: StoredVm | undefined): StoredVm | undefined {
  if (stored === undefined) return undefined;
  const { bytes, seq } = stored;
  return {
    bytes,
    seq,
    get vm() {
      return JSON.parse(bytes.toString()) as VmObject;
    },
  };
}
