/** What a reader found: of a zone, of some datasets, of the host itself, or in a listing of everything. */
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

/** The sysinfo cache was read; `undefined` when it is not there, or not readable: then what is known stays. */
export interface SysinfoFinding {
  readonly type: 'sysinfo';
  readonly sysinfo: Sysinfo | undefined;
}

/** Everything was listed, and what is in the listing was found before; or there is no listing. */
export interface ListedFinding {
  readonly type: 'listed';
  readonly what: ListingName;
  /** Zones; or pools, and datasets directly in one. `undefined` when there is no listing. */
  readonly names: ReadonlySet<string> | undefined;
  /** Of these the ones of which, or in which, something could not be read. */
  readonly unreadable: ReadonlySet<string>;
  readonly errors: readonly Error[];
}

/** What is listed when everything is read. */
export type ListingName = 'zfs list' | 'zoneadm list' | 'kstat' | 'sysinfo';

export type Finding = ZoneFinding | DatasetsFinding | SysinfoFinding | ListedFinding;
