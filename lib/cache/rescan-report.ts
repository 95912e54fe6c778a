/**
 * What a rescan did: the differences it found, what failed, and what is still to be asked for.
 */
import type { Observable } from 'rxjs';
import type { SourceName } from '../sources/invalidation.js';
import type { HostState } from './host-state.js';
import type { DatasetOutcome } from './reload-datasets.js';
import type { ZoneOutcome } from './reload-zones.js';
import { eachInSlices } from './slices.js';
import type { Commit } from './vm-store.js';

/** A difference that a rescan found, and the source that should have told of it. */
export interface Found {
  readonly source: SourceName;
  readonly commit: Commit;
}

/** What is read: everything, or, because an event said that some of them changed, all datasets. */
export type RescanScope = 'everything' | 'datasets';

/** What a rescan did. */
export interface RescanReport {
  readonly scope: RescanScope;
  readonly zones: number;
  readonly datasets: number;
  readonly found: readonly Found[];
  /** What failed. All that could be read was taken in. */
  readonly errors: readonly Error[];
  /** False when zoneadm or zfs gave no listing: then it is to be done again. */
  readonly complete: boolean;
  /** What is still to be asked for. */
  readonly again: readonly Again[];
}

/** What a lane wants asked again. */
export type Again = Extract<ZoneOutcome | DatasetOutcome, { type: 'again' }>;

/** A report while the rescan goes on. */
export type ReportInProgress = { -readonly [K in keyof RescanReport]: RescanReport[K] } & {
  readonly found: Found[];
  readonly errors: Error[];
  readonly again: Again[];
};

/** Wraps what is waited for, so that an operator can see it, e.g. `zfs list`. */
export type Awaiting = <T>(what: string, promise: Promise<T>) => Promise<T>;

/** A report of nothing yet. */
export function emptyReport(scope: RescanScope): ReportInProgress {
  return { scope, zones: 0, datasets: 0, found: [], errors: [], complete: true, again: [] };
}

/** Puts a difference into the report, if it is one. */
export function found(commit: Commit | undefined, report: ReportInProgress, source: SourceName): void {
  if (commit !== undefined) report.found.push({ source, commit });
}

/** Commits zones of which something changed, and reports the differences. */
export async function commitAll(
  state: HostState,
  zonenames: Iterable<string>,
  report: ReportInProgress,
  source: SourceName,
): Promise<void> {
  await eachInSlices(zonenames, 1, (zonename) => {
    found(state.commit(zonename), report, source);
    return undefined;
  });
}

/** Does what a lane does for these zones, and reports the differences that come of it. */
export async function serveBy(
  state: HostState,
  run: Observable<ZoneOutcome | DatasetOutcome>,
  zones: ReadonlySet<string>,
  report: ReportInProgress,
  source: SourceName,
): Promise<void> {
  const commits = state.store.commits.subscribe((commit) => {
    if (zones.has(commit.event.zonename)) found(commit, report, source);
  });
  try {
    await run.forEach((outcome) => {
      if (outcome.type === 'again') report.again.push(outcome);
    });
  } finally {
    commits.unsubscribe();
  }
}
