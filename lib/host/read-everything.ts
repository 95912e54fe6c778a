/**
 * Reads everything: the full listings, and every zone that they name, with the same reader that reads a single zone.
 * Zones and datasets are read in parallel. It never fails; failures are findings, too.
 */
import { reloads } from '../config.js';
import { eachInSlices } from '../slices.js';
import { levelOf, protectionOf, topOf } from '../vm/dataset-names.js';
import type { Finding, ListingName } from './findings.js';
import type { Host } from './host.js';
import { readKstats } from './kstat.js';
import { readZone, type ZoneTask } from './read-zone.js';
import { readSysinfo } from './sysinfo.js';
import { groupsOf, type ListingGroup } from './zfs-groups.js';
import { listAllDatasets, listDatasets } from './zfs.js';
import { listedZoneCommands } from './zone-commands.js';
import { listZones } from './zoneadm.js';

/** Receives each finding; the receiver takes it in at once. */
export type Emit = (finding: Finding) => void;

/**
 * Reads all datasets: each dataset of two components, with all that is in it, is a finding, and so are the snapshots below
 * these that VMs show; the listing as a whole is the last.
 */
export async function readAllDatasets(host: Host, emit: Emit): Promise<void> {
  const listing = await attempt('zfs list', listAllDatasets(host), emit);
  if (listing === undefined) return;
  const names = listing.datasets.map(({ name }) => name).filter((name) => levelOf(name) < 2);
  const unreadable = new Set(listing.errors.map(({ text }) => topOf(text.split('\t', 1)[0] ?? '')));
  const whole = names.filter((name) => levelOf(name) === 1);
  const rows = names.filter((name) => levelOf(name) === 0);
  const find = (groups: readonly ListingGroup[]) =>
    eachInSlices(groups, 1, (group) => {
      if (!unreadable.has(group.top)) emit({ type: 'datasets', listing: group });
      return undefined;
    });
  const protections = listing.datasets.flatMap(({ name }) => protectionOf(name));
  // All in one command while the rest is taken in: listed zone by zone they would be many commands.
  const below = listSnapshots(host, protections);
  await find(groupsOf(listing, { whole, rows }));
  const asked = await below;
  await find(asked.groups);
  const listed = new Set([...names, ...asked.names.filter((name) => !unreadable.has(topOf(name)))]);
  emit({ type: 'listed', what: 'zfs list', names: listed, unreadable, errors: listing.errors });
}

/** Snapshots by their names. Those of a listing that fails are left out: who needs one asks for it, and meets the failure. */
async function listSnapshots(host: Host, names: readonly string[]) {
  const found: { names: string[]; groups: ListingGroup[] } = { names: [], groups: [] };
  for (let from = 0; from < names.length; from += reloads.maxBatch) {
    const rows = names.slice(from, from + reloads.maxBatch);
    const listing = await listDatasets(host, rows, { whole: false }).catch(() => undefined);
    if (listing === undefined) continue;
    found.names.push(...rows);
    found.groups.push(...groupsOf(listing, { whole: [], rows }));
  }
  return found;
}

/** Reads all zones, and sysinfo: each zone is a finding, and the last is the listing as a whole. */
export async function readAllZones(
  host: Host,
  taskOf: (zonename: string) => ZoneTask,
  emit: Emit,
): Promise<void> {
  const zones = listZones(host);
  const kstats = readKstats(host);
  const commands = listedZoneCommands(
    host,
    () => zones,
    () => kstats,
  );
  const [listing] = await Promise.all([
    attempt('zoneadm list', zones, emit),
    attempt('kstat', kstats, emit).then((listed) => {
      if (listed === undefined) return;
      emit({ type: 'listed', what: 'kstat', names: new Set(), unreadable: new Set(), errors: listed.errors });
    }),
    attempt('sysinfo', readSysinfo(host), emit).then((sysinfo) => {
      emit({ type: 'sysinfo', sysinfo });
    }),
  ]);
  if (listing === undefined) return;
  const names = new Set(listing.records.keys());
  await eachInSlices(names, reloads.maxZoneReads, async (zonename) => {
    emit({ type: 'zone', zonename, readings: await readZone(host, taskOf(zonename), commands) });
  });
  const unreadable = new Set(listing.errors.flatMap(({ zonename }) => zonename ?? []));
  emit({ type: 'listed', what: 'zoneadm list', names, unreadable, errors: listing.errors });
}

async function attempt<T>(what: ListingName, listing: Promise<T>, emit: Emit): Promise<T | undefined> {
  try {
    return await listing;
  } catch (error) {
    emit({ type: 'listed', what, names: undefined, unreadable: new Set(), errors: [error as Error] });
    return undefined;
  }
}
