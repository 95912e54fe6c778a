/**
 * The zones' half of a rescan: zoneadm, kstat and sysinfo, and the files that may have changed. It keeps a fingerprint
 * of each file, and reads again only those that have another.
 */
import { reloads } from '../config.js';
import type { Host } from '../host/host.js';
import { readKstats } from '../host/kstat.js';
import { readSysinfo } from '../host/sysinfo.js';
import { listZones, type ZoneListing } from '../host/zoneadm.js';
import { fileInputs, zoneInputs, type SourceName, type ZoneInput } from '../sources/invalidation.js';
import type { ZoneRecord } from '../vm/inputs.js';
import type { HostState } from './host-state.js';
import type { ZoneLane } from './reload-zones.js';
import { found, serveBy, type Awaiting, type ReportInProgress } from './rescan-report.js';
import { eachInSlices } from './slices.js';
import { fingerprintOf, readZoneFile, type Fingerprint, type ZoneFile } from './zone-files.js';
import type { Readings } from './zone-table.js';

export interface ZoneRescanOptions {
  readonly host: Host;
  readonly state: HostState;
  /** Reads new zones, and asks by name for what the listing lacks. */
  readonly zoneLane: ZoneLane;
  readonly awaiting: Awaiting;
}

/** Reads all zones. */
export interface ZoneRescan {
  /** @throws CommandError, ParseError when zoneadm gives no listing. */
  rescan(report: ReportInProgress): Promise<void>;
}

/** Makes the zones' half. */
export function zoneRescan({ host, state, zoneLane, awaiting }: ZoneRescanOptions): ZoneRescan {
  const fingerprints = new Map<string, Partial<Record<ZoneFile, Fingerprint>>>();
  return { rescan };

  async function rescan(report: ReportInProgress): Promise<void> {
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

    await eachInSlices(listing.records.values(), reloads.maxZoneReads, (record) => {
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
    await serveBy(state, zoneLane.run(requests), new Set(strangers), report, 'zone-events');
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
      const isMissing = fingerprints.get(zonename)?.[file] === '' && file !== 'xml';
      const value = isMissing ? undefined : await readZoneFile(host, record, file);
      Object.assign(readings, { [file]: { value, readAt } });
      state.mended(zonename, file);
    } catch (error) {
      state.failed(zonename, file, error);
      delete fingerprints.get(zonename)?.[file];
      const isNew = state.zones.readings(zonename)?.[file] === undefined;
      if (isNew && file !== 'xml') Object.assign(readings, { [file]: { value: undefined, readAt } });
    }
  }

  function putErrorsOnRecord({ errors }: ZoneListing, report: ReportInProgress): void {
    for (const error of errors) {
      if (error.zonename === undefined) report.errors.push(error);
      else state.failed(error.zonename, 'record', error);
    }
  }
}

/** Which source should have told of a change of these inputs. */
function sourceOf(changed: readonly ZoneInput[]): SourceName {
  return changed.includes('record') || changed.includes('kstat') ? 'zone-events' : 'file-events';
}
