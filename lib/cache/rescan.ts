/**
 * Reads everything afresh, beside the events and never in front of them: what an event has had read since is newer and
 * stays. Zones and datasets are two halves; a failure of one does not keep the other from being taken in.
 */
import type { Observable } from 'rxjs';
import { reloads } from '../config.js';
import { CommandError } from '../host/command-error.js';
import type { Host } from '../host/host.js';
import { readKstats } from '../host/kstat.js';
import { readSysinfo } from '../host/sysinfo.js';
import { listAllDatasets, listDatasets } from '../host/zfs.js';
import { ParseError } from '../host/parse-error.js';
import { listZones, type ZoneListing } from '../host/zoneadm.js';
import { fileInputs, zoneInputs, type SourceName, type ZoneInput } from '../sources/invalidation.js';
import type { ZoneRecord } from '../vm/inputs.js';
import { datasetsOf } from '../vm/storage.js';
import { isSnapshot, parentOf } from './dataset-names.js';
import type { HostState } from './host-state.js';
import type { DatasetLane, DatasetOutcome } from './reload-datasets.js';
import type { ZoneLane, ZoneOutcome } from './reload-zones.js';
import { eachInSlices } from './slices.js';
import type { Commit } from './vm-store.js';
import { fingerprintOf, readZoneFile, type Fingerprint, type ZoneFile } from './zone-files.js';
import type { Readings } from './zone-table.js';

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

/** Reads everything. It keeps a fingerprint of each file, and reads again only what may have changed. */
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

interface Report {
  readonly scope: RescanScope;
  zones: number;
  datasets: number;
  found: Found[];
  errors: Error[];
  complete: boolean;
  again: Again[];
}

/** Makes a rescanner. */
export function createRescanner({ host, state, zoneLane, datasetLane }: RescanOptions): Rescanner {
  const fingerprints = new Map<string, Partial<Record<ZoneFile, Fingerprint>>>();
  /** What is under way, and what failed: that is still awaited. */
  const awaited = new Map<string, string>();

  return {
    awaiting: () => [...awaited.values()],
    listDeep: async () => {
      const inputs = [...state.zones.names()].map((zonename) => state.inputsWith(zonename, {}));
      const names = inputs.flatMap((each) => (each === undefined ? [] : datasetsOf(each))).filter(isDeep);
      const report = emptyReport('datasets');
      await listBelow(names, report);
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
        half(rescanDatasets(report)),
        scope === 'everything' ? half(rescanZones(report)) : undefined,
      ]);
      return report;
    },
  };

  async function awaiting<T>(what: string, promise: Promise<T>): Promise<T> {
    if (!awaited.has(what)) awaited.set(what, what);
    try {
      const result = await promise;
      awaited.delete(what);
      return result;
    } catch (error) {
      awaited.set(what, `${what}, which failed and is tried again: ${(error as Error).message}`);
      throw error;
    }
  }

  async function rescanDatasets(report: Report): Promise<void> {
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
      const changes = state.datasets.apply({
        ...listing,
        readAt,
        asked: 'everything',
        except: new Set(lacking),
        missing: [],
      });
      await commitAll(state.zonesAffected(changes), report, 'zfs-events');
      await listBelow(
        [
          ...[...listed].filter(isDelegated).map((name) => `${name}@indestructible`),
          ...[...state.index.usedDatasets()].filter(isDeep),
        ],
        report,
      );
      const byName = [...new Set([...lacking, ...datasetsInTrouble()])];
      if (byName.length > 0) {
        const zones = new Set(byName.flatMap((name) => [...state.index.zonesOf(name)]));
        await serving(
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

  /** Those that could not be listed when they were asked for: asked for again, so that the load errors end. */
  function datasetsInTrouble(): string[] {
    return state.errors
      .list()
      .filter(({ input }) => input === 'datasets')
      .flatMap(({ zone }) => state.index.dependencies(zone)?.datasets ?? []);
  }

  /** What is below the depth of the full listing. If that fails each is asked for alone, so that only the one to blame fails. */
  async function listBelow(names: readonly string[], report: Report): Promise<void> {
    for (let start = 0; start < names.length; start += reloads.maxBatch) {
      const asked = names.slice(start, start + reloads.maxBatch);
      const readAt = state.clock.tick();
      state.datasets.begin(readAt);
      try {
        const listing = await awaiting('zfs list', listDatasets(host, asked, 1));
        if (listing.errors[0] !== undefined) throw listing.errors[0];
        const changes = state.datasets.apply({ ...listing, asked, readAt });
        await commitAll(state.zonesAffected(changes), report, 'zfs-events');
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

  async function rescanZones(report: Report): Promise<void> {
    const readAt = state.clock.tick();
    const failed = (cause: unknown) => {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      report.errors.push(error);
      return error;
    };
    const [listing, kstats, sysinfo] = await Promise.all([
      awaiting('zoneadm list', listZones(host)),
      awaiting('kstat', readKstats(host)).catch(failed),
      readSysinfo(host).catch(failed),
    ]);
    report.zones = listing.records.size;
    const sysinfoChanged = sysinfo !== undefined && !(sysinfo instanceof Error) && state.takeSysinfo(sysinfo);
    const strangers: string[] = [];

    await eachInSlices(listing.records.values(), reloads.maxFileReads, (record) => {
      const { zonename } = record;
      if (!state.zones.has(zonename) && !state.isLoading) {
        strangers.push(zonename);
        return undefined;
      }
      const readings: Readings = { record: { value: record, readAt } };
      state.mended(zonename, 'record');
      if (kstats instanceof Error) {
        if (record.zoneid !== null) state.failed(zonename, 'kstat', kstats);
      } else {
        state.mended(zonename, 'kstat');
        readings.kstat = { value: kstats.kstats.get(zonename), readAt };
      }
      if (state.zones.record(zonename)?.zonepath !== record.zonepath) state.watch(zonename, record.zonepath);
      const files = changedFiles(record);
      const take = () => {
        const changed = state.zones.apply(zonename, readings);
        if (changed.length > 0 || sysinfoChanged) found(state.commit(zonename), report, sourceOf(changed));
      };
      if (files.length > 0)
        return Promise.all(files.map((file) => readFile(record, file, readings))).then(take);
      take();
      return undefined;
    });
    putErrorsOnRecord(listing, report);
    for (const error of kstats instanceof Error ? [] : kstats.errors) {
      if (error.zonename !== undefined) state.failed(error.zonename, 'kstat', error);
    }

    // zoneadm is asked by name for what its listing lacks; only that answer deletes a VM.
    for (const zonename of state.zones.names()) {
      const isOld = (state.zones.readings(zonename)?.record?.readAt ?? readAt) < readAt;
      if (isOld && !listing.records.has(zonename)) strangers.push(zonename);
    }
    for (const zonename of fingerprints.keys()) {
      if (!listing.records.has(zonename)) fingerprints.delete(zonename);
    }
    const requests = strangers.map((zonename) => ({
      lane: 'zone' as const,
      zonename,
      inputs: new Set(zoneInputs),
      datasets: false,
    }));
    await serving(zoneLane.run(requests), new Set(strangers), report, 'zone-events');
    state.zones.pruneRemoved(readAt);
  }

  /** The files of a zone that are not known to be what they were when last read. */
  function changedFiles({ zonename, zonepath }: ZoneRecord): ZoneFile[] {
    const known = fingerprints.get(zonename) ?? {};
    fingerprints.set(zonename, known);
    return fileInputs.filter((file) => {
      const before = known[file];
      known[file] = fingerprintOf(host, { zonename, zonepath }, file);
      return before === undefined || before !== known[file];
    });
  }

  async function readFile(record: ZoneRecord, file: ZoneFile, readings: Readings): Promise<void> {
    const { zonename } = record;
    const readAt = state.clock.tick();
    try {
      Object.assign(readings, { [file]: { value: await readZoneFile(host, record, file), readAt } });
      state.mended(zonename, file);
    } catch (error) {
      state.failed(zonename, file, error);
      delete fingerprints.get(zonename)?.[file];
      const isNew = state.zones.readings(zonename)?.[file] === undefined;
      if (isNew && file !== 'xml') Object.assign(readings, { [file]: { value: undefined, readAt } });
    }
  }

  function putErrorsOnRecord({ errors }: ZoneListing, report: Report): void {
    for (const error of errors) {
      if (error.zonename === undefined) report.errors.push(error);
      else state.failed(error.zonename, 'record', error);
    }
  }

  async function commitAll(zonenames: Iterable<string>, report: Report, source: SourceName): Promise<void> {
    await eachInSlices(zonenames, 1, (zonename) => {
      found(state.commit(zonename), report, source);
      return undefined;
    });
  }

  /** Does what a lane does for these zones, and reports the differences that come of it. */
  async function serving(
    run: Observable<ZoneOutcome | DatasetOutcome>,
    zones: ReadonlySet<string>,
    report: Report,
    source: SourceName,
  ) {
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
}

function emptyReport(scope: RescanScope): Report {
  return { scope, zones: 0, datasets: 0, found: [], errors: [], complete: true, again: [] };
}

function found(commit: Commit | undefined, report: Report, source: SourceName): void {
  if (commit !== undefined) report.found.push({ source, commit });
}

/** Which source should have told of a change of these inputs. */
function sourceOf(changed: readonly ZoneInput[]): SourceName {
  return changed.includes('record') || changed.includes('kstat') ? 'zone-events' : 'file-events';
}

/** Below the depth of a full listing. */
function isDeep(dataset: string): boolean {
  return dataset.split('/').length > 3;
}

function isDelegated(dataset: string): boolean {
  return /^[^/]+\/[^/]+\/data$/.test(dataset);
}
