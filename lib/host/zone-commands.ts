/**
 * zoneadm and kstat for several zones at once: a few zones are queried one by one, many with one full listing. Each zone
 * still gets its own answer or error.
 */
import type { ZoneKstat, ZoneRecord } from '../vm/inputs.js';
import { maxZonesAskedFor } from '../config.js';
import type { Host } from './host.js';
import { readKstat, readKstats, type KstatListing } from './kstat.js';
import { listZones, readZoneRecord, type ZoneListing } from './zoneadm.js';

/** The commands that answer for some zones. Each starts when the first zone needs it, and never twice for the same zone. */
export interface ZoneCommands {
  /**
   * The zone's record; `undefined` when zoneadm says that there is no such zone.
   *
   * @throws CommandError, ParseError
   */
  record(zonename: string): Promise<ZoneRecord | undefined>;
  /**
   * The zone's kstat; `undefined` when it has no kernel instance, or a different one than `zoneid`.
   *
   * @param zoneid as last heard; without it all kstats are searched for the zone.
   * @throws CommandError, ParseError
   */
  kstat(zonename: string, zoneid: number | undefined): Promise<ZoneKstat | undefined>;
}

/** The commands for this many zones. */
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

/** The commands, answered from full listings that the caller makes. */
export function listedZoneCommands(
  host: Host,
  listZoneRecords: () => Promise<ZoneListing>,
  listKstats: () => Promise<KstatListing>,
): ZoneCommands {
  return {
    record: async (zonename) => {
      const { records, errors } = await listZoneRecords();
      throwErrorOf(zonename, errors);
      // A zone's absence from a listing is no proof: a VM is deleted only when zoneadm, asked for that zone alone, denies
      // it.
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
