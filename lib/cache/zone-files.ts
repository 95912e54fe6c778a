/**
 * Reads the files of a zone as inputs, and tells which of them need not be read again: a file whose identity, size
 * and times are what they were holds what it held.
 */
import { statSync } from 'node:fs';
import { FileError } from '../host/files.js';
import type { Host } from '../host/host.js';
import { zoneFilePath } from '../host/paths.js';
import {
  readLastExited,
  readMetadata,
  readReceiving,
  readRoutes,
  readTags,
  readZoneXml,
} from '../host/zone-files.js';
import type { FileInput } from '../vm/inputs.js';
import { compact } from '../vm/json.js';
import type { ZoneConfig } from '../vm/zone-config.js';
import { parseZoneXml, ZoneXmlError } from '../vm/zone-xml.js';
import type { fileInputs } from '../sources/invalidation.js';
import type { InputValues } from './zone-table.js';

/** An input that is a file. */
export type ZoneFile = (typeof fileInputs)[number];

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
  readonly zonepath: string;
}

/** Changes with every version of a file; `''` when there is none, `undefined` when one cannot tell: then read it. */
export type Fingerprint = string | undefined;

/** File times are as coarse as a clock tick: a file written within that time may be written again and look the same. */
const timeGrainMs = 20;

/** Looks at a file without reading it. A few microseconds. */
export function fingerprintOf(host: Host, place: ZonePlace, file: ZoneFile): Fingerprint {
  try {
    const stat = statSync(zoneFilePath(host, place, file), { throwIfNoEntry: false });
    if (stat === undefined) return '';
    if (stat.ctimeMs > Date.now() - timeGrainMs) return undefined;
    return `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
  } catch {
    return undefined; // What keeps us from it (ELOOP, ENOTDIR, EIO …) its reader will report.
  }
}

/**
 * Reads one file of a zone.
 *
 * @throws FileError, ZoneXmlMissingError
 */
export function readZoneFile<F extends ZoneFile>(
  host: Host,
  place: ZonePlace,
  file: F,
): Promise<InputValues[F]>;
export async function readZoneFile(
  host: Host,
  place: ZonePlace,
  file: ZoneFile,
): Promise<InputValues[ZoneFile]> {
  switch (file) {
    case 'xml':
      return readConfig(host, place);
    case 'metadata':
      return readMetadata(host, place.zonepath);
    case 'tags':
      return readTags(host, place.zonepath);
    case 'routes':
      return readRoutes(host, place.zonepath);
    case 'lastexited':
      return readLastExited(host, place.zonepath);
    case 'receiving':
      return readReceiving(host, place.zonename);
  }
}

async function readConfig(host: Host, place: ZonePlace): Promise<FileInput<ZoneConfig>> {
  const text = await readZoneXml(host, place.zonename);
  if (text === undefined) throw new ZoneXmlMissingError(place.zonename);
  try {
    return { value: compact(parseZoneXml(text.value)), mtimeMs: text.mtimeMs };
  } catch (cause) {
    if (!(cause instanceof ZoneXmlError)) throw cause;
    throw new FileError(zoneFilePath(host, place, 'xml'), `is not a zone XML: ${cause.message}`, { cause });
  }
}
