/**
 * Numbers that a host hands out once: they only grow, and outlive the process that drew them.
 */
import { readJson } from './files.js';
import { writeFileSync } from 'node:fs';
import type { Paths } from './paths.js';

/** The next of each kind of number that the host hands out. */
export interface Counters {
  zoneid: number;
  debugid: number;
  /** ZFS object number (history_dsid). */
  dsid: number;
  /** ZFS transaction group. */
  txg: number;
  /** Process id of the next zone's init. */
  pid: number;
}

/** The initial values for a new host. */
export const firstCounters: Readonly<Counters> = { zoneid: 1, debugid: 1, dsid: 54, txg: 4, pid: 4000 };

/** The host's counters. A change is lost unless {@link writeCounters} is called. */
export function readCounters(paths: Paths): Counters {
  return { ...firstCounters, ...(readJson(paths.counters) as Partial<Counters> | undefined) };
}

/** Saves the counters. */
export function writeCounters(paths: Paths, counters: Counters): void {
  writeFileSync(paths.counters, JSON.stringify(counters));
}
