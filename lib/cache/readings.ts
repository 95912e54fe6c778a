/**
 * What each lane reads: by the readers of lib/host, whose findings become facts with where they are from. Nothing here knows
 * the state: where a zone is, it is told.
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
import { zoneInputs } from '../vm/inputs.js';
import type { Fact } from './facts.js';
import { noOccasion, occasionOf, type Request } from './requests.js';
import type { DatasetRequest, RescanRequest, SysinfoRequest, ZoneRequest } from './requests.js';
import type { Rescan } from './rescan.js';

/** Reads what a batch asks for, and says what it found. Never fails: that something could not be read is a fact, too. */
export type Read<R extends Request> = (
  batch: readonly R[],
  readAt: number,
  emit: (fact: Fact) => void,
) => Promise<unknown>;

/** Where a zone's files and its kstat are, and of which versions the files are; nothing of one that is not known. */
export type WhereIs = (zonename: string) => Pick<ZoneTask, 'zonepath' | 'zoneid' | 'versions'>;

/** Reads zones one by one. One that is not known is read whole, but for its files: it is not known where these are. */
export function zoneReading(host: Host, whereIs: WhereIs): Read<ZoneRequest> {
  return async (batch, readAt, emit) => {
    const tasks = batch.map((request): { request: ZoneRequest; task: ZoneTask } => {
      const { zonename, inputs, zoneid } = request;
      const { zonepath, zoneid: known } = whereIs(zonename);
      const wanted = zonepath === undefined ? new Set(zoneInputs) : inputs;
      return { request, task: { zonename, inputs: wanted, zonepath, zoneid: zoneid ?? known } };
    });
    const asking = tasks.filter(({ task: { inputs } }) => inputs.has('record') || inputs.has('kstat'));
    const commands = zoneCommands(host, asking.length);
    await eachInSlices(tasks, reloads.maxZoneReads, async ({ request, task }) => {
      const { zonename, announced, look } = request;
      const readings = await readZone(host, task, commands);
      const origin = { readAt, occasion: occasionOf(request), ends: [request] };
      emit({ type: 'zone', zonename, readings, announced, look, ...origin });
    });
  };
}

/** Lists datasets: once with all that is in them, and once the single rows. */
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

/** As above; but so many datasets of no VM are not worth a listing each: their pools are listed, in the background. */
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

/** Without the cache of sysinfo, or with one that cannot be read, VMs keep what they have; the next rescan tells of it. */
export function sysinfoReading(host: Host): Read<SysinfoRequest> {
  return async (batch, readAt, emit) => {
    const sysinfo = await readSysinfo(host).catch(() => undefined);
    for (const request of batch) {
      emit({ type: 'sysinfo', sysinfo, readAt, occasion: occasionOf(request), ends: [request] });
    }
  };
}

/** Everything, by the same readers. Files that are as they were are not read again. */
export function everythingReading(
  host: Host,
  whereIs: WhereIs,
  begin: (request: RescanRequest) => Rescan,
): Read<RescanRequest> {
  const taskOf = (zonename: string) => ({ zonename, inputs: new Set(zoneInputs), ...whereIs(zonename) });
  return async (batch, readAt, emit) => {
    for (const request of batch) {
      const rescan = begin(request);
      const waiters = [rescan, ...request.waiters];
      const origin = { readAt, occasion: { noticedAt: undefined, waiters, rescan }, ends: [] };
      const find = (finding: Finding) => {
        emit({ ...finding, ...origin });
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
