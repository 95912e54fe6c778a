/**
 * The context of every operation on the simulated host.
 */
import { exclusively } from './lock.js';
import type { Paths } from './paths.js';
import { ZoneStore, type SimulatedZone } from './zone-store.js';

/** An operator of one tree. */
export interface Operator {
  readonly paths: Paths;
  readonly zones: ZoneStore;
  /** What zoneadm waits for between a kernel event and showing the new state. */
  stateLag: () => Promise<unknown>;
  /** Runs one command; only one at a time works on a tree. */
  readonly exclusively: <T>(work: () => Promise<T> | T) => Promise<T>;
  /** Runs one command on a zone, which must exist. */
  readonly onZone: (zonename: string, work: (zone: SimulatedZone) => Promise<void> | void) => Promise<void>;
}

/** The operator of the tree at `paths`. */
export function operatorOf(paths: Paths): Operator {
  const zones = new ZoneStore(paths);
  return {
    paths,
    zones,
    stateLag: () => Promise.resolve(),
    exclusively: (work) => exclusively(paths.lock, work),
    onZone: (zonename, work) => exclusively(paths.lock, () => work(zones.get(zonename))),
  };
}
