/**
 * What a reading adds to what is known: what it found, when it began, why it was made and which requests it answers. A
 * fact changes nothing by itself; `take` puts it into the state.
 */
import type { Finding } from '../host/findings.js';
import type { Invalidation } from '../sources/invalidation.js';
import type { Announcement, DatasetRequest, Occasion, Request } from './requests.js';
import type { Rescan } from './rescan.js';

/** Where a fact comes from. */
export interface Origin {
  /** The clock's value when the reading began. */
  readonly readAt: number;
  /** Why it was made. */
  readonly occasion: Occasion;
  /** The requests that this answers. */
  readonly ends: readonly Request[];
}

/** What a reader found on the host. */
export type Found<F extends Finding = Finding> = F &
  Origin & {
    /** For a zone: the state that it should be in by now. */
    readonly announced?: Announcement | undefined;
    /** For a zone: which attempt to find its missing XML this was. */
    readonly look?: number | undefined;
  };

/** Datasets could not be listed, or could not be listed together. */
export interface DatasetsFailed extends Origin {
  readonly type: 'datasets-failed';
  readonly ends: readonly DatasetRequest[];
  readonly error: Error;
}

/** A rescan is over, including all of its follow-up requests. */
export interface RescanEnded extends Origin {
  readonly type: 'rescan-ended';
  readonly rescan: Rescan;
}

export type Fact =
  | Found
  | DatasetsFailed
  | RescanEnded
  /** These cannot be read in this way: other requests must be made for them. */
  | (Origin & { readonly type: 'stale'; readonly invalidation: Invalidation })
  /** A rescan has read everything. Its follow-up requests may still be open. */
  | (Origin & { readonly type: 'rescan-read' });
