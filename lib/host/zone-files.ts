/**
 * The files of a zone as inputs, each with its mtime: XML, config/*.json and lastexited. A file that does not exist is
 * `undefined`; a file with the wrong content is a FileError for that file alone. Below a zonepath that does not exist,
 * every file is `undefined` as long as the zone is not installed, and a FileError when it is.
 */
import type { InputValues, LastExited, ZoneFile } from '../vm/inputs.js';
import type { JsonObject } from '../vm/json.js';
import type { ZoneConfig } from '../vm/zone-config.js';
import type { FileRequest } from './file-messages.js';
import type { FileVersion } from './file-version.js';
import { FileError, type FileReading, type TextReading } from './files.js';
import type { Host } from './host.js';
import { parseJsonFile } from './json-file.js';
import { globalZone, isZonename, zoneFilePath, zonesDirectory } from './paths.js';

export type { FileReading } from './files.js';
export type { FileVersion } from './file-version.js';

/** The zone XML is not there although the zone is. */
export class ZoneXmlMissingError extends Error {
  override readonly name = 'ZoneXmlMissingError';
  readonly zonename: string;

  constructor(zonename: string) {
    super(`the zone XML of ${zonename} does not exist`);
    this.zonename = zonename;
  }
}

/** Where a zone's files are. */
export interface ZonePlace {
  readonly zonename: string;
  /** As zoneadm prints it; empty when the zone has none. */
  readonly zonepath: string;
  /** Whether the zone is installed, so that its zonepath must exist. */
  readonly isInstalled: boolean;
}

/** A file of a zone, and how it is read. */
export interface ZoneFileRequest extends FileRequest {
  readonly name: ZoneFile;
}

/**
 * How a file of a zone is read: one below the zonepath must lie there, one in /etc/zones belongs to the global zone.
 * `undefined` for one below the zonepath of a zone that has none.
 */
export function zoneFileRequest(
  host: Host,
  place: Omit<ZonePlace, 'isInstalled'>,
  name: ZoneFile,
): ZoneFileRequest | undefined {
  const { zonepath } = place;
  const isInZone = name !== 'xml' && name !== 'receiving';
  if (isInZone && zonepath === '') return undefined;
  const path = zoneFilePath(host, place, name);
  return isInZone
    ? { name, path, within: host.path(zonepath) }
    : { name, path, owner: globalZone, isZoneXml: name === 'xml' };
}

/** The result for each file that was asked for. */
export type ZoneFileReadings = { readonly [F in ZoneFile]?: FileReading<InputValues[F]> };

/**
 * Reads files of one zone, in one round trip. Always settles, and rejects only when the host has ended.
 *
 * @param known Versions of all these files: if none has changed since, none is read, and all are `unchanged`.
 */
export async function readZoneFiles(
  host: Host,
  place: ZonePlace,
  files: readonly ZoneFile[],
  known: Partial<Record<ZoneFile, FileVersion>> = {},
): Promise<ZoneFileReadings> {
  const { zonename, isInstalled } = place;
  const readings: Partial<Record<ZoneFile, FileReading<unknown>>> = {};
  if (await areUnchanged(host, place, files, known)) {
    for (const name of files) readings[name] = unchanged;
    return readings as ZoneFileReadings;
  }
  const requests: ZoneFileRequest[] = [];
  const isNamed = isZonename(zonename);
  for (const name of files) {
    if (!isNamed) {
      const error = new FileError(
        zonesDirectory,
        `has no files of ${JSON.stringify(zonename)}: no zone can be called so`,
      );
      readings[name] = { type: 'failed', error };
      continue;
    }
    const request = zoneFileRequest(host, place, name);
    if (request === undefined) readings[name] = { type: 'read', value: undefined, version: '' };
    // Not a copy of it: V8 makes a hidden class for each copy, and there are thousands.
    else requests.push(Object.assign(request, { withinExists: isInstalled }));
  }
  const texts = requests.length === 0 ? [] : await host.files.read(zonename, requests);
  requests.forEach(({ name, path }, index) => {
    const text = texts[index];
    if (text !== undefined) readings[name] = parsed(name, path, text);
  });
  return readings as ZoneFileReadings;
}

/**
 * What is in files of a zone, whose texts were read when they changed. `undefined` when one of them is not as it should be:
 * it may be half written, and is to be read again.
 */
export function parseZoneFiles(
  host: Host,
  place: Omit<ZonePlace, 'isInstalled'>,
  files: readonly ZoneFile[],
  texts: readonly TextReading[],
): ZoneFileReadings | undefined {
  const readings: Partial<Record<ZoneFile, FileReading<unknown>>> = {};
  for (const [index, name] of files.entries()) {
    const text = texts[index];
    const reading = text && parsed(name, zoneFilePath(host, place, name), text);
    if (reading?.type !== 'read') return undefined;
    readings[name] = reading;
  }
  return readings as ZoneFileReadings;
}

/**
 * Reads `<epoch seconds>.<microseconds> <wait status>`; the microseconds are not padded, so `5.5000` is 5 s and 5000 µs.
 * `undefined` for anything else: zoneadmd truncates the file before it writes, so it may be empty or incomplete when
 * read.
 */
export function parseLastExited(text: string): LastExited | undefined {
  const [, seconds, microseconds, waitStatus] = /^\s*(\d+)\.(\d{1,6})\s+(-?\d+)\s*$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  return { seconds: Number(seconds), microseconds: Number(microseconds), waitStatus: Number(waitStatus) };
}

const unchanged = { type: 'unchanged' } as const;

/** A rescan finds nearly all zones as they were: this costs a fraction of asking for each of their files. */
async function areUnchanged(
  host: Host,
  { zonename, zonepath }: ZonePlace,
  files: readonly ZoneFile[],
  known: Partial<Record<ZoneFile, FileVersion>>,
): Promise<boolean> {
  const versions: Record<string, NonNullable<FileVersion>> = {};
  for (const name of files) {
    const version = known[name];
    if (version === undefined || zonepath === '') return false;
    versions[name] = version;
  }
  return host.files.areUnchanged(zonename, versions);
}

function parsed(name: ZoneFile, path: string, reading: TextReading): FileReading<unknown> {
  if (reading.type !== 'read' || reading.value === undefined) return reading;
  const { value: text, mtimeMs } = reading.value;
  try {
    const value = parse(name, path, text);
    return { ...reading, value: name === 'receiving' ? value : { value, mtimeMs } };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { type: 'failed', error };
  }
}

/** @throws FileError */
function parse(name: ZoneFile, path: string, text: string): ZoneConfig | JsonObject | LastExited | undefined {
  switch (name) {
    case 'xml':
      return JSON.parse(text) as ZoneConfig;
    case 'lastexited':
      return parseLastExited(text);
    default:
      return parseJsonFile(path, text);
  }
}
