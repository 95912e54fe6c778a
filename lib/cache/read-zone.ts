/**
 * Reads the inputs of one zone, in parallel. It never fails: what cannot be read is put on record and left out.
 */
import type { Host } from '../host/host.js';
import { readKstat, readKstats } from '../host/kstat.js';
import { isInKernel, listZones, readZone as readRecord } from '../host/zoneadm.js';
import { fileInputs, type ZoneInput } from '../sources/invalidation.js';
import type { ZoneKstat, ZoneRecord } from '../vm/inputs.js';
import type { HostState } from './host-state.js';
import type { ZoneRequest } from './requests.js';
import { readZoneFile, ZoneXmlMissingError, type ZoneFile } from './zone-files.js';
import type { InputValues, Readings } from './zone-table.js';

/** What was read of one zone. */
export interface ZoneRead {
  readonly zonename: string;
  /** The clock when the batch that reads it began. */
  readonly readAt: number;
  readonly readings: Readings;
  /** zoneadm was asked and answered. */
  readonly hasRecord: boolean;
  /** It answered that there is no such zone. */
  readonly gone: boolean;
  /** There is no zone XML. Not on record as an error yet when the zone was known: it may be away for a moment. */
  readonly xmlMissing: boolean;
}

/** The commands of one batch, which run only if somebody asks. */
export interface SharedCommands {
  /** The clock when the batch began: nothing that it reads is older. */
  readonly readAt: number;
  record(zonename: string): Promise<ZoneRecord | undefined>;
  /** Without a zoneid it must be looked for among all. */
  kstat(zonename: string, zoneid: number | undefined): Promise<ZoneKstat | undefined>;
}

/** The commands for a batch of requests: they are asked for one zone alone, for several they list all. */
export function sharedCommands(host: Host, state: HostState, batch: readonly ZoneRequest[]): SharedCommands {
  const isAlone = batch.filter(({ inputs }) => inputs.has('record') || inputs.has('kstat')).length === 1;
  let zones: ReturnType<typeof listZones> | undefined;
  let kstats: ReturnType<typeof readKstats> | undefined;
  return {
    readAt: state.clock.tick(),
    record: async (zonename) => {
      if (isAlone) return readRecord(host, zonename);
      const { records, errors } = await (zones ??= listZones(host));
      throwErrorOf(zonename, errors);
      // A listing that lacks a zone is not yet proof: what deletes a VM is the answer to the question for it alone.
      return records.get(zonename) ?? (state.zones.has(zonename) ? readRecord(host, zonename) : undefined);
    },
    kstat: async (zonename, zoneid) => {
      if (isAlone && zoneid !== undefined) return readKstat(host, zonename, zoneid);
      const listing = await (kstats ??= readKstats(host));
      throwErrorOf(zonename, listing.errors);
      return listing.kstats.get(zonename);
    },
  };
}

/** Reads what is asked for; all of a zone that is not known yet. */
export async function readZone(
  host: Host,
  state: HostState,
  request: ZoneRequest,
  commands: SharedCommands,
): Promise<ZoneRead> {
  const { zonename } = request;
  const isNew = !state.zones.has(zonename);
  const wants = (input: ZoneInput) => isNew || request.inputs.has(input);
  const { readAt } = commands; // not now: what the batch shares may have been read before this zone's turn
  const readings: Readings = {};
  const facts = { hasRecord: false, xmlMissing: false };

  const attempt = async <I extends ZoneInput>(input: I, read: () => Promise<InputValues[I] | undefined>) => {
    try {
      const value = await read();
      state.mended(zonename, input);
      return { value };
    } catch (error) {
      const isMissingXml = error instanceof ZoneXmlMissingError;
      facts.xmlMissing ||= isMissingXml;
      if (isNew || !isMissingXml) state.failed(zonename, input, error);
      return undefined;
    }
  };

  const readZoneadm = async () => {
    const answer = await attempt('record', () => commands.record(zonename));
    facts.hasRecord = answer !== undefined;
    const record = answer?.value;
    if (record === undefined) return undefined;
    readings.record = { value: record, readAt };
    if (record.zonepath !== state.zones.record(zonename)?.zonepath) state.watch(zonename, record.zonepath);
    return record;
  };

  const readFile = async (file: ZoneFile, zonepath: string) => {
    const read = await attempt(file, () => readZoneFile(host, { zonename, zonepath }, file));
    // Of a new zone a file that cannot be read counts as empty; of a known one the last good value stays.
    if (read !== undefined) Object.assign(readings, { [file]: { value: read.value, readAt } });
    else if (isNew && file !== 'xml') Object.assign(readings, { [file]: { value: undefined, readAt } });
  };

  const takeKstat = async (read: () => Promise<ZoneKstat | undefined>) => {
    const answer = await attempt('kstat', read);
    if (answer !== undefined) readings.kstat = { value: answer.value, readAt };
  };

  /** Side by side with the record if the zoneid is known before; and once more if the record has another. */
  const readZoneKstat = async (reading: Promise<ZoneRecord | undefined>) => {
    const heard = request.zoneid ?? state.zones.readings(zonename)?.kstat?.value?.zoneid;
    if (heard !== undefined) await takeKstat(() => commands.kstat(zonename, heard));
    const record = (await reading) ?? state.zones.record(zonename);
    if (record === undefined) return;
    const zoneid = record.zoneid ?? heard;
    if (zoneid === undefined && !isInKernel(record)) await takeKstat(() => Promise.resolve(undefined));
    else if (zoneid === undefined || zoneid !== heard)
      await takeKstat(() => commands.kstat(zonename, zoneid));
  };

  const readFiles = (zonepath: string) =>
    Promise.all(fileInputs.filter(wants).map((file) => readFile(file, zonepath)));

  const known = state.zones.record(zonename);
  if (known === undefined) {
    // Where its files are, zoneadm says; and whether there is anything to read at all.
    const record = await readZoneadm();
    if (record !== undefined) {
      await Promise.all([readFiles(record.zonepath), readZoneKstat(Promise.resolve(record))]);
    }
  } else {
    const reading = wants('record') ? readZoneadm() : Promise.resolve(undefined);
    const [record] = await Promise.all([
      reading,
      readFiles(known.zonepath),
      wants('kstat') ? readZoneKstat(reading) : undefined,
    ]);
    if (record !== undefined && record.zonepath !== known.zonepath) await readFiles(record.zonepath);
  }
  return { zonename, readAt, readings, ...facts, gone: facts.hasRecord && readings.record === undefined };
}

function throwErrorOf(
  zonename: string,
  errors: readonly (Error & { readonly zonename: string | undefined })[],
): void {
  const error = errors.find((each) => each.zonename === zonename);
  if (error !== undefined) throw error;
}
