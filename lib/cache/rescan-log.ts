/**
 * What the last rescans did: for `/status` and for the operator who must see that the kernel drops events.
 */
import type { Logger } from 'pino';
import { rescanLog } from '../config.js';
import type { SourceName } from '../sources/invalidation.js';
import type { RescanReport } from './rescan-report.js';
import type { EventHead } from './vm-store.js';

/** A rescan that is over. */
export interface RescanRecord {
  readonly started: Date;
  readonly ended: Date;
  readonly reason: string;
  readonly found: readonly { readonly source: SourceName; readonly event: EventHead }[];
}

/** A rescan, or a half of one, that failed. */
export interface RescanFailure {
  readonly error: string;
  readonly time: Date;
}

/** The record of the rescans. Both lists are bounded. */
export interface RescanLog {
  readonly records: readonly RescanRecord[];
  readonly failures: readonly RescanFailure[];
  /** How many rescans read everything, and how many did not, since the daemon started. */
  readonly complete: number;
  readonly failed: number;
  /** Differences that only a rescan found, by the source that should have told, since the daemon started. */
  readonly found: Readonly<Record<SourceName, number>>;
  add(reason: string, started: Date, report: RescanReport): void;
}

/** An empty record. Each rescan that is added is one line in the log. */
export function createRescanLog(log: Logger): RescanLog {
  const records: RescanRecord[] = [];
  const failures: RescanFailure[] = [];
  const found = { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 };
  let complete = 0;
  let failed = 0;
  return {
    records,
    failures,
    found,
    get complete() {
      return complete;
    },
    get failed() {
      return failed;
    },
    add: (reason, started, report) => {
      const ended = new Date();
      if (report.complete) complete++;
      else failed++;
      records.push({
        started,
        ended,
        reason,
        found: report.found
          .slice(0, rescanLog.maxFound)
          .map(({ source, commit }) => ({ source, event: commit.event })),
      });
      if (records.length > rescanLog.maxRecords) records.shift();
      for (const error of report.errors) {
        failures.push({ error: error.message, time: ended });
        if (failures.length > rescanLog.maxFailures) failures.shift();
      }
      // A rescan of the datasets answers an event, so what it finds was not missed.
      const missed = report.scope === 'everything' ? report.found : [];
      for (const { source } of missed) found[source]++;

      const took = `took ${((ended.getTime() - started.getTime()) / 1000).toFixed(3)}s`;
      const what = `rescan (${reason}): ${report.zones} zones, ${report.datasets} datasets, ${report.found.length} changes (${missed.length} missed), ${report.errors.length} errors, ${took}`;
      if (missed.length === 0 && report.errors.length === 0) log.info(what);
      else
        log.warn(
          {
            missed: missed
              .slice(0, 10)
              .map(({ source, commit: { event } }) => `${source}: ${event.type} ${event.zonename}`),
            errors: report.errors.map(({ message }) => message),
          },
          what,
        );
    },
  };
}
