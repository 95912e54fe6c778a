/**
 * zoneadm and kstat for several zones at once: few are asked for one by one, many are listed, once. Each zone still has its
 * own answer, and its own error.
 */
import type { ZoneKstat, ZoneRecord } from '../vm/inputs.js';
import { maxZonesAskedFor } from '../config.js';
import type { Host } from './host.js';
import { readKstat, readKstats, type KstatListing } from './kstat.js';
import { listZones, readZoneRecord, type ZoneListing } from './zoneadm.js';

/** The commands that answer for some zones. Each is started when the first zone asks for it, and never twice for the same. */
export interface ZoneCommands {
  /**
   * The zone's record; `undefined` when zoneadm says that there is no such zone.
   *
   * @throws CommandError, ParseError
   */
  record(zonename: string): Promise<ZoneRecord | undefined>;
  /**
   * The zone's kstat; `undefined` when it has no kernel instance, or another one than `zoneid`.
   *
   * @param zoneid as last heard; without it the zone is looked for among all.
   * @throws CommandError, ParseError
   */
  kstat(zonename: string, zoneid: number | undefined): Promise<ZoneKstat | undefined>;
}

/** The commands for as many zones as there are. */
export function zoneCommands(host: Host, zones: number): ZoneCommands {
  let records: Promise<ZoneListing> | undefined;
  let kstats: Promise<KstatListing> | undefined;
  const areFew = zones <= maxZonesAskedFor;
  const listed = listedZoneCommands(
    host,
    () => (records ??= listZones(host)),
    () => (kstats ??= readKstats(host)),
  );
  return {
    record: (zonename) => (areFew ? readZoneRecord(host, zonename) : listed.record(zonename)),
    kstat: (zonename, zoneid) =>
      areFew && zoneid !== undefined ? readKstat(host, zonename, zoneid) : listed.kstat(zonename, zoneid),
  };
}

/** The commands as answered by listings of everything, which the caller makes. */
export function listedZoneCommands(
  host: Host,
  listZoneRecords: () => Promise<ZoneListing>,
  listKstats: () => Promise<KstatListing>,
): ZoneCommands {
  return {
    record: async (zonename) => {
      const { records, errors } = await listZoneRecords();
      throwErrorOf(zonename, errors);
      // That a listing lacks a zone is no proof yet: a VM is deleted only by the answer to the question for it alone.
      return records.get(zonename) ?? readZoneRecord(host, zonename);
    },
    kstat: async (zonename) => {
      const { kstats, errors } = await listKstats();
      throwErrorOf(zonename, errors);
      return kstats.get(zonename);
    },
  };
}

function throwErrorOf(
  zonename: string,
  errors: readonly (Error & { readonly zonename: string | undefined })[],
): void {
  const error = errors.find((each) => each.zonename === zonename);
  if (error !== undefined) throw error;
}
