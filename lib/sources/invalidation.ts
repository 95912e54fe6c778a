/**
 * What a source emits: not what is true, but what may be stale. A duplicate, late or spurious one costs a read, never a
 * wrong answer. Only the thread that watches files may have made that read already.
 */
import type { ZoneFileReadings } from '../host/zone-files.js';
import type { ZoneInput } from '../vm/inputs.js';

/** The source: shown in `/status` and counted. */
export type SourceName = 'zone-events' | 'zfs-events' | 'file-events';

/** These inputs of this zone may be stale. An unknown zone is read in full, whichever inputs are named. */
export interface ZoneInvalidation {
  readonly type: 'zone';
  readonly source: 'zone-events' | 'file-events';
  readonly zonename: string;
  readonly inputs: readonly ZoneInput[];
  /** All of these inputs, as they were read after they had changed. */
  readonly readings?: ZoneFileReadings | undefined;
  /** The state that a zone sysevent announced: zoneadm may show the old one for a moment longer. */
  readonly newstate?: string;
  /** The number of the zone's kernel instance, from a zone sysevent: its kstat is found by it. */
  readonly zoneid?: number;
}

/** This dataset, with its snapshots and direct children, or this one snapshot, may be stale or gone. */
export interface DatasetInvalidation {
  readonly type: 'dataset';
  readonly name: string;
  /** Only its properties, and those that its children inherit, may be stale: its snapshots are the same. */
  readonly propertiesOnly?: boolean;
}

/** The files of the zone that lives on this dataset were replaced as a whole, without a file event. */
export interface FilesReplaced {
  readonly type: 'files-replaced';
  readonly dataset: string;
}

/** Datasets below this one may be stale, without knowing which: all are listed, in the background. */
export interface DescendantsInvalidation {
  readonly type: 'descendants';
  readonly dataset: string;
}

/** The sysinfo cache, which every VM object uses. */
export interface SysinfoInvalidation {
  readonly type: 'sysinfo';
}

/** Anything may be stale: a rescan. */
export interface EverythingInvalidation {
  readonly type: 'everything';
  /** For the log: `timer`, `SIGHUP`, `zone-events ready`, … */
  readonly reason: string;
}

export type Invalidation =
  | ZoneInvalidation
  | DatasetInvalidation
  | FilesReplaced
  | DescendantsInvalidation
  | SysinfoInvalidation
  | EverythingInvalidation;
