/** What a reader found: about a zone, some datasets, the host itself, or in a listing of everything. */
import type { Sysinfo } from '../vm/inputs.js';
import type { ZoneReadings } from './read-zone.js';
import type { ListingGroup } from './zfs-groups.js';

/** What was read of one zone. */
export interface ZoneFinding {
  readonly type: 'zone';
  readonly zonename: string;
  readonly readings: ZoneReadings;
}

/** Datasets were listed. */
export interface DatasetsFinding {
  readonly type: 'datasets';
  readonly listing: ListingGroup;
}

/** The sysinfo cache was read; `undefined` when it is missing or unreadable: then what is known stays. */
export interface SysinfoFinding {
  readonly type: 'sysinfo';
  readonly sysinfo: Sysinfo | undefined;
}

/** A full listing is over: its parts have already been reported as findings; or it failed. */
export interface ListedFinding {
  readonly type: 'listed';
  readonly what: ListingName;
  /** Zones; or pools, datasets directly in one, and what was listed by its name. `undefined` when there is no listing. */
  readonly names: ReadonlySet<string> | undefined;
  /** Those of them of which, or in which, something could not be read. */
  readonly unreadable: ReadonlySet<string>;
  readonly errors: readonly Error[];
}

/** The full listings. */
export type ListingName = 'zfs list' | 'zoneadm list' | 'kstat' | 'sysinfo';

export type Finding = ZoneFinding | DatasetsFinding | SysinfoFinding | ListedFinding;
