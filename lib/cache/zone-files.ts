/**
 * Reads the files of a zone as inputs, and tells which of them need not be read again: a file whose identity, size
 * and times are what they were holds what it held.
 */
import { statSync } from 'node:fs';
import type { Host } from '../host/host.js';
import { zoneFilePath } from '../host/paths.js';
import { readZoneFiles, type ZoneFile, type ZonePlace } from '../host/zone-files.js';
import type { InputValues } from './zone-table.js';

export type { ZoneFile } from '../host/zone-files.js';

/** The zone XML is not there although the zone is. */
export class ZoneXmlMissingError extends Error {
  override readonly name = 'ZoneXmlMissingError';
  readonly zonename: string;

  constructor(zonename: string) {
    super(`the zone XML of ${zonename} does not exist`);
    this.zonename = zonename;
  }
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
export async function readZoneFile<F extends ZoneFile>(
  host: Host,
  place: ZonePlace,
  file: F,
): Promise<InputValues[F]> {
  const reading = (await readZoneFiles(host, place, [file]))[file];
  if (reading?.type === 'failed') throw reading.error;
  const value = reading?.type === 'read' ? reading.value : undefined;
  if (value === undefined && file === 'xml') throw new ZoneXmlMissingError(place.zonename);
  return value as InputValues[F];
}
