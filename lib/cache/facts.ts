/**
 * What is known in addition after a reading: what it found, when it began, why it was made and which requests it answers. A
 * fact changes nothing by itself; `take` puts it into the state.
 */
import type { Finding } from '../host/findings.js';
import type { Invalidation } from '../sources/invalidation.js';
import type { Announcement, DatasetRequest, Occasion, Request } from './requests.js';
import type { Rescan } from './rescan.js';

/** Where a fact is from. */
export interface Origin {
  /** The clock when the reading began. */
  readonly readAt: number;
  /** Why it was made. */
  readonly occasion: Occasion;
  /** The requests that are answered with this. */
  readonly ends: readonly Request[];
}

/** What a reader found on the host. */
export type Found<F extends Finding = Finding> = F &
  Origin & {
    /** Of a zone: the state that it should be in by now. */
    readonly announced?: Announcement | undefined;
    /** Of a zone: which look for its XML it was. */
    readonly look?: number | undefined;
  };

/** Datasets could not be listed, or not together. */
export interface DatasetsFailed extends Origin {
  readonly type: 'datasets-failed';
  readonly ends: readonly DatasetRequest[];
  readonly error: Error;
}

/** What is stale cannot be read in this way: it is to be asked for in another. */
export interface StaleFact extends Origin {
  readonly type: 'stale';
  readonly invalidation: Invalidation;
}

/** A rescan has read everything. What follows from that may still be asked for. */
export interface RescanRead extends Origin {
  readonly type: 'rescan-read';
}

/** A rescan is over, with all that followed from it. */
export interface RescanEnded extends Origin {
  readonly type: 'rescan-ended';
  readonly rescan: Rescan;
}

export type Fact = Found | DatasetsFailed | StaleFact | RescanRead | RescanEnded;
