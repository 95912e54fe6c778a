/**
 * The datasets' half of a rescan: the full listing, and what is below its depth.
 */
import { reloads } from '../config.js';
import { CommandError } from '../host/command-error.js';
import type { Host } from '../host/host.js';
import { ParseError } from '../host/parse-error.js';
import { listAllDatasets, listDatasets } from '../host/zfs.js';
import { datasetsOf } from '../vm/storage.js';
import { allSteps } from './slices.js';
import { isSnapshot, levelOf, parentOf } from './dataset-names.js';
import type { HostState } from './host-state.js';
import type { DatasetLane } from './reload-datasets.js';
import { commitAll, serveBy, type Awaiting, type ReportInProgress } from './rescan-report.js';

export interface DatasetRescanOptions {
  readonly host: Host;
  readonly state: HostState;
  /** Asks by name for what the listing lacks. */
  readonly datasetLane: DatasetLane;
  readonly awaiting: Awaiting;
}

/** Reads all datasets. */
export interface DatasetRescan {
  /** @throws CommandError, ParseError when there is no full listing. */
  rescan(report: ReportInProgress): Promise<void>;
  /** Lists what VMs show below the depth of a full listing, from their inputs: for before they are first committed. */
  listDeep(report: ReportInProgress): Promise<void>;
}

/** Makes the datasets' half. */
export function datasetRescan({ host, state, datasetLane, awaiting }: DatasetRescanOptions): DatasetRescan {
  return { rescan, listDeep };

  async function rescan(report: ReportInProgress): Promise<void> {
    const readAt = state.clock.tick();
    state.datasets.begin(readAt);
    try {
      const listing = await awaiting('zfs list', listAllDatasets(host));
      if (listing.errors[0] !== undefined) throw listing.errors[0];
      report.datasets = listing.datasets.length;
      const listed = new Set(listing.datasets.map(({ name }) => name));
      // What a VM shows and the listing lacks is asked for by name: only that answer takes it away.
      const lacking = [...state.index.usedDatasets()].filter(
        (name) => state.datasets.byName(name) && !listed.has(name),
      );
      const changes = await allSteps(
        state.datasets.applying({
          ...listing,
          readAt,
          asked: 'everything',
          except: new Set(lacking),
          missing: [],
        }),
      );
      await commitAll(state, state.zonesAffected(changes), report, 'zfs-events');
      await listBelow(
        [
          ...[...listed].filter(isDelegated).map((name) => `${name}@indestructible`),
          ...[...state.index.usedDatasets()].filter((name) => isDeep(name, state.index.isRoot(name))),
        ],
        report,
      );
      const byName = [...new Set([...lacking, ...datasetsInTrouble()])];
      if (byName.length > 0) {
        const zones = new Set(byName.flatMap((name) => [...state.index.zonesOf(name)]));
        await serveBy(
          state,
          datasetLane.run(byName.map((name) => ({ lane: 'dataset', name }))),
          zones,
          report,
          'zfs-events',
        );
      }
    } finally {
      state.datasets.end(readAt);
    }
  }

  async function listDeep(report: ReportInProgress): Promise<void> {
    const inputs = [...state.zones.names()].map((zonename) => state.inputsWith(zonename, {}));
    const names = inputs.flatMap((each) =>
      each === undefined ? [] : datasetsOf(each).filter((name, index) => isDeep(name, index === 0)),
    );
    await listBelow(names, report);
  }

  /** Those that could not be listed when they were asked for: asked for again, so that the load errors end. */
  function datasetsInTrouble(): string[] {
    return state.errors
      .list()
      .filter(({ input }) => input === 'datasets')
      .flatMap(({ zone }) => state.index.dependencies(zone)?.datasets ?? []);
  }

  /** What is below the depth of the full listing. If that fails each is asked for alone, so that only the one to blame fails. */
  async function listBelow(names: readonly string[], report: ReportInProgress): Promise<void> {
    for (let start = 0; start < names.length; start += reloads.maxBatch) {
      const asked = names.slice(start, start + reloads.maxBatch);
      const readAt = state.clock.tick();
      state.datasets.begin(readAt);
      try {
        const listing = await awaiting('zfs list', listDatasets(host, asked, 1));
        if (listing.errors[0] !== undefined) throw listing.errors[0];
        const changes = await allSteps(state.datasets.applying({ ...listing, asked, readAt }));
        await commitAll(state, state.zonesAffected(changes), report, 'zfs-events');
      } catch (error) {
        if (!(error instanceof CommandError || error instanceof ParseError)) throw error;
        report.errors.push(error);
        for (const name of asked) {
          const dataset = isSnapshot(name) ? parentOf(name) : name;
          report.again.push({ type: 'again', invalidation: { type: 'dataset', name: dataset }, afterMs: 0 });
        }
      } finally {
        state.datasets.end(readAt);
      }
    }
  }
}

/** Below the depth of a full listing, which has datasets of three components, and snapshots of those of two. */
function isDeep(dataset: string, isRoot: boolean): boolean {
  return levelOf(dataset) > 2 || (isRoot && levelOf(dataset) === 2);
}

function isDelegated(dataset: string): boolean {
  return /^[^/]+\/[^/]+\/data$/.test(dataset);
}
