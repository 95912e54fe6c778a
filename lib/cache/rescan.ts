/**
 * Reads everything afresh, beside the events and never in front of them: what an event has had read since is newer and
 * stays. Zones and datasets are two halves; a failure of one does not keep the other from being taken in.
 */
import type { Host } from '../host/host.js';
import type { HostState } from './host-state.js';
import type { DatasetLane } from './reload-datasets.js';
import type { ZoneLane } from './reload-zones.js';
import { datasetRescan } from './rescan-datasets.js';
import {
  emptyReport,
  type Again,
  type Awaiting,
  type RescanReport,
  type RescanScope,
} from './rescan-report.js';
import { zoneRescan } from './rescan-zones.js';

/** Reads everything. */
export interface Rescanner {
  /** Never fails; what did is in the report. One at a time. */
  rescan(scope: RescanScope): Promise<RescanReport>;
  /** Lists datasets of VMs that are deeper than a full listing goes. Never fails; what is still to be asked for is returned. */
  listDeep(): Promise<readonly Again[]>;
  /** What a rescan under way waits for, e.g. `zfs list`, and what failed in the last one. */
  awaiting(): readonly string[];
}

export interface RescanOptions {
  readonly host: Host;
  readonly state: HostState;
  /** Serve what a listing does not settle: new zones, and what it lacks. */
  readonly zoneLane: ZoneLane;
  readonly datasetLane: DatasetLane;
}

/** Makes a rescanner. */
export function createRescanner({ host, state, zoneLane, datasetLane }: RescanOptions): Rescanner {
  /** What is under way, and what failed: that is still awaited. */
  const awaited = new Map<string, string>();

  const awaiting: Awaiting = async (what, promise) => {
    if (!awaited.has(what)) awaited.set(what, what);
    try {
      const result = await promise;
      awaited.delete(what);
      return result;
    } catch (error) {
      awaited.set(what, `${what}, which failed and is tried again: ${(error as Error).message}`);
      throw error;
    }
  };

  const datasets = datasetRescan({ host, state, datasetLane, awaiting });
  const zones = zoneRescan({ host, state, zoneLane, awaiting });

  return {
    awaiting: () => [...awaited.values()],
    listDeep: async () => {
      const report = emptyReport('datasets');
      await datasets.listDeep(report);
      return report.again;
    },
    rescan: async (scope) => {
      const report = emptyReport(scope);
      const half = async (work: Promise<void>) => {
        await work.catch((error: unknown) => {
          report.errors.push(error as Error);
          report.complete = false;
        });
      };
      await Promise.all([
        half(datasets.rescan(report)),
        scope === 'everything' ? half(zones.rescan(report)) : undefined,
      ]);
      return report;
    },
  };
}
