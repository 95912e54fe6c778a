/**
 * What each lane reads, using the readers in lib/host; their findings become facts with their origin. Nothing here knows
 * the state: zonepaths and the like are passed in.
 */
import { reloads } from '../config.js';
import type { Finding } from '../host/findings.js';
import type { Host } from '../host/host.js';
import { readAllDatasets, readAllZones } from '../host/read-everything.js';
import { readZone, type ZoneTask } from '../host/read-zone.js';
import { readSysinfo } from '../host/sysinfo.js';
import { groupsOf } from '../host/zfs-groups.js';
import { listDatasets } from '../host/zfs.js';
import { zoneCommands } from '../host/zone-commands.js';
import { eachInSlices } from '../slices.js';
import { poolOf, topOf } from '../vm/dataset-names.js';
import { needsCommands, zoneInputs } from '../vm/inputs.js';
import type { Fact } from './facts.js';
import { noOccasion, occasionOf, type Request } from './requests.js';
import type { DatasetRequest, RescanRequest, SysinfoRequest, ZoneRequest } from './requests.js';
import type { Rescan } from './rescan.js';

/** Reads what a batch asks for and emits what it found. Never fails: that something could not be read is a fact, too. */
export type Read<R extends Request> = (
  batch: readonly R[],
  readAt: number,
  emit: (fact: Fact) => void,
) => Promise<unknown>;

/** Where a zone's files and kstat are, and what is known of the files; empty for an unknown zone. */
export type WhereIs = (zonename: string) => Omit<ZoneTask, 'zonename' | 'inputs'>;

/** Reads zones one by one. An unknown zone is read except for its files, because their location is not known yet. */
export function zoneReading(host: Host, whereIs: WhereIs): Read<ZoneRequest> {
  return async (batch, readAt, emit) => {
    const tasks = batch.map((request): { request: ZoneRequest; task: ZoneTask } => {
      const { zonename, inputs, zoneid } = request;
      const { zonepath, zoneid: known, isInstalled } = whereIs(zonename);
      const wanted = zonepath === undefined ? new Set(zoneInputs) : inputs;
      return { request, task: { zonename, inputs: wanted, zonepath, isInstalled, zoneid: zoneid ?? known } };
    });
    const asking = tasks.filter(({ request, task }) => !request.rescan && needsCommands(task.inputs));
    const [together, singly] = [zoneCommands(host, asking.length), zoneCommands(host, 1)];
    await eachInSlices(tasks, reloads.maxZoneReads, async ({ request, task }) => {
      const { zonename, announced, look } = request;
      // What a rescan leaves to be asked changed during its full listing, and may during another.
      const readings = await readZone(host, task, request.rescan === undefined ? together : singly);
      const origin = { readAt, occasion: occasionOf(request), ends: [request] };
      emit({ type: 'zone', zonename, readings, announced, look, ...origin });
    });
  };
}

/** Passes on what was read when it changed. Nothing is read in between, so it is newer than all that is known. */
export const readAheadReading: Read<ZoneRequest> = (batch, readAt, emit) => {
  for (const request of batch) {
    const { zonename, readings = {} } = request;
    emit({ type: 'zone', zonename, readings, readAt, occasion: occasionOf(request), ends: [request] });
  }
  return Promise.resolve();
};

/** Lists datasets: one command for those with everything in them, one for single rows. */
export function datasetReading(host: Host): Read<DatasetRequest> {
  return async (batch, readAt, emit) => {
    const read = async (requests: readonly DatasetRequest[], whole: boolean) => {
      const names = requests.map(({ name }) => name);
      const origin = { readAt, occasion: noOccasion };
      try {
        const listing = await listDatasets(host, names, { whole });
        const groups = groupsOf(listing, whole ? { whole: names, rows: [] } : { whole: [], rows: names });
        const answered = new Map<string, DatasetRequest[]>(groups.map(({ top }) => [top, []]));
        for (const request of requests) answered.get(topOf(request.name))?.push(request);
        await eachInSlices(groups, 1, (group) => {
          emit({ type: 'datasets', listing: group, ...origin, ends: answered.get(group.top) ?? [] });
          return undefined;
        });
      } catch (error) {
        emit({ type: 'datasets-failed', error: error as Error, ...origin, ends: requests });
      }
    };
    const [whole, rows] = [batch.filter((each) => each.whole), batch.filter((each) => !each.whole)];
    await Promise.all([read(whole, true), read(rows, false)]);
  };
}

/** As above, but for datasets that no VM uses: if there are many, one listing of everything in the background is cheaper. */
export function unusedReading(host: Host): Read<DatasetRequest> {
  return async (batch, readAt, emit) => {
    if (batch.length <= reloads.maxUnusedDatasets) return datasetReading(host)(batch, readAt, emit);
    for (const dataset of new Set(batch.map(({ name }) => poolOf(name)))) {
      const invalidation = { type: 'descendants', dataset } as const;
      emit({ type: 'stale', invalidation, readAt, occasion: noOccasion, ends: [] });
    }
    return undefined;
  };
}

/** If the sysinfo cache is missing or unreadable, VMs keep what they have; the next rescan reports it. */
export function sysinfoReading(host: Host): Read<SysinfoRequest> {
  return async (batch, readAt, emit) => {
    const sysinfo = await readSysinfo(host).catch(() => undefined);
    for (const request of batch) {
      emit({ type: 'sysinfo', sysinfo, readAt, occasion: occasionOf(request), ends: [request] });
    }
  };
}

/** Reads everything, with the same readers. Unchanged files are not read again. */
export function everythingReading(
  host: Host,
  whereIs: WhereIs,
  begin: (request: RescanRequest) => Rescan,
): Read<RescanRequest> {
  const inputs = new Set(zoneInputs);
  const taskOf = (zonename: string) => ({ zonename, inputs, ...whereIs(zonename) });
  return async (batch, readAt, emit) => {
    for (const request of batch) {
      const rescan = begin(request);
      const waiters = [rescan, ...request.waiters];
      const origin = { readAt, occasion: { noticedAt: undefined, waiters, rescan }, ends: [] };
      // Not a copy of it: V8 makes a hidden class for each copy, and there are thousands.
      const find = (finding: Finding) => {
        emit(Object.assign(finding, origin));
      };
      rescan.began();
      await Promise.all([
        readAllDatasets(host, find),
        request.scope === 'everything' ? readAllZones(host, taskOf, find) : undefined,
      ]);
      emit({ type: 'rescan-read', ...origin, ends: [{ ...request, waiters }] });
    }
  };
}
