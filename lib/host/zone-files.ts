/**
 * The files of a zone, each with its mtime: XML, config/*.json and lastexited. A file that does not exist is `undefined`, as
 * is every file of a zone without a zonepath; one that does not hold what it should is a FileError of that zone alone.
 */
import type { FileInput, LastExited } from '../vm/inputs.js';
import type { JsonObject } from '../vm/json.js';
import { statSync } from 'node:fs';
import { compact } from '../vm/json.js';
import { parseZoneXml } from '../vm/zone-xml.js';
import { FileError, readTextFile } from './files.js';
import type { Host } from './host.js';
import { readJsonFile } from './json-file.js';
import {
  type ConfigFile,
  configFilePath,
  lastExitedPath,
  receivingPath,
  zoneFilePath,
  zoneXmlPath,
} from './paths.js';

/** The text of `/etc/zones/<zone>.xml`. */
export async function readZoneXml(host: Host, zonename: string): Promise<FileInput<string> | undefined> {
  return readTextFile(zoneXmlPath(host, zonename));
}

/** `metadata.json`: `{customer_metadata, internal_metadata}`. */
export function readMetadata(host: Host, zonepath: string): Promise<FileInput<JsonObject> | undefined> {
  return readConfigFile(host, zonepath, 'metadata.json');
}

/** `tags.json`: the tags themselves. */
export function readTags(host: Host, zonepath: string): Promise<FileInput<JsonObject> | undefined> {
  return readConfigFile(host, zonepath, 'tags.json');
}

/** `routes.json`: the routes themselves. */
export function readRoutes(host: Host, zonepath: string): Promise<FileInput<JsonObject> | undefined> {
  return readConfigFile(host, zonepath, 'routes.json');
}

/** `/etc/zones/<zone>-receiving.json`, which is there only while a zone is being received. */
export async function readReceiving(host: Host, zonename: string): Promise<JsonObject | undefined> {
  return (await readJsonFile(receivingPath(host, zonename)))?.value;
}

/** When and how the zone last halted. Its `value` is `undefined` while the file is not (yet) well formed. */
export async function readLastExited(
  host: Host,
  zonepath: string,
): Promise<FileInput<LastExited | undefined> | undefined> {
  if (zonepath === '') return undefined;
  const file = await readTextFile(lastExitedPath(host, zonepath));
  return file && { value: parseLastExited(file.value), mtimeMs: file.mtimeMs };
}

/**
 * Reads `<epoch seconds>.<microseconds> <wait status>`; the microseconds are not padded, so `5.5000` is 5 s and 5000 µs.
 * `undefined` for anything else: zoneadmd truncates the file before it writes, so it may be seen empty or in part.
 */
export function parseLastExited(text: string): LastExited | undefined {
  const [, seconds, microseconds, waitStatus] = /^\s*(\d+)\.(\d{1,6})\s+(-?\d+)\s*$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  return { seconds: Number(seconds), microseconds: Number(microseconds), waitStatus: Number(waitStatus) };
}

async function readConfigFile(
  host: Host,
  zonepath: string,
  file: ConfigFile,
): Promise<FileInput<JsonObject> | undefined> {
  return zonepath === '' ? undefined : readJsonFile(configFilePath(host, zonepath, file));
}

// --- temporary: replaced by branch files
export type ZoneFile = 'xml' | 'metadata' | 'tags' | 'routes' | 'lastexited' | 'receiving';
export type FileVersion = string | undefined;
export type FileReading<T> =
  | { readonly type: 'read'; readonly value: T; readonly version: FileVersion }
  | { readonly type: 'unchanged' }
  | { readonly type: 'failed'; readonly error: FileError };
export interface ZonePlace {
  readonly zonename: string;
  readonly zonepath: string;
}
export type ZoneFileReadings = { readonly [F in ZoneFile]?: FileReading<never> };
function versionOf(path: string): FileVersion {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return '';
    if (stat.ctimeMs > Date.now() - 20) return undefined;
    return `${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`;
  } catch {
    return undefined;
  }
}
export async function readZoneFiles(
  host: Host,
  place: ZonePlace,
  files: Iterable<ZoneFile>,
  known: Partial<Record<ZoneFile, FileVersion>> = {},
): Promise<ZoneFileReadings> {
  const result: Record<string, unknown> = {};
  await Promise.resolve();
  for (const file of files) {
    try {
      const version =
        place.zonepath === '' && file !== 'xml' && file !== 'receiving'
          ? ''
          : versionOf(zoneFilePath(host, place, file));
      if (version !== undefined && known[file] === version) {
        result[file] = { type: 'unchanged' };
        continue;
      }
      let value: unknown;
      if (file === 'xml') {
        const text = await readZoneXml(host, place.zonename);
        try {
          value = text && { value: compact(parseZoneXml(text.value)), mtimeMs: text.mtimeMs };
        } catch (cause) {
          throw new FileError(
            zoneFilePath(host, place, 'xml'),
            `is not a zone XML: ${(cause as Error).message}`,
            { cause },
          );
        }
      } else if (file === 'metadata') value = await readMetadata(host, place.zonepath);
      else if (file === 'tags') value = await readTags(host, place.zonepath);
      else if (file === 'routes') value = await readRoutes(host, place.zonepath);
      else if (file === 'lastexited') value = await readLastExited(host, place.zonepath);
      else value = await readReceiving(host, place.zonename);
      result[file] = { type: 'read', value, version };
    } catch (error) {
      result[file] = { type: 'failed', error };
    }
  }
  return result as ZoneFileReadings;
}
