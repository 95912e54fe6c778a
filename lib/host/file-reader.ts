/**
 * Reads one whole file with blocking calls, in a file thread, and parses it if it is a zone XML. A file that does not
 * exist is not an error; a size limit and non-blocking opens keep a strange file from filling memory or holding up the
 * thread.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
  type BigIntStats,
} from 'node:fs';
import { dirname, sep } from 'node:path';
import { fileMaxBytes } from '../config.js';
import { parseZoneXml, ZoneXmlError } from '../vm/zone-xml.js';
import type { FileAnswer, FileQuery, FileText } from './file-messages.js';
import { isMissing, isTooRecent, versionOf, type FileVersion } from './file-version.js';

/**
 * Whether the watch on a path is on the file that has just been opened there, given by its version, or knows that there
 * is none (`''`). If not, the watch has now been put on what is there, and the path is opened once more: what changes
 * from then on is seen.
 */
export type IsWatched = (path: string, version: string) => boolean;

export interface ReadNowOptions {
  readonly isWatched?: IsWatched;
  /** Default: see config.ts. */
  readonly maxBytes?: number;
  /** The JSON of a zone XML with this text, if it was parsed before. */
  readonly parsedAhead?: (path: string, text: string) => string | undefined;
}

/** Reads a file. */
export function readFileNow(
  request: FileQuery,
  { isWatched, maxBytes = fileMaxBytes, parsedAhead }: ReadNowOptions = {},
): FileAnswer {
  const answer = readTextNow(request, isWatched, maxBytes);
  if (request.isZoneXml !== true || answer.type !== 'read') return answer;
  const json = parsedAhead?.(request.path, answer.text);
  return json === undefined ? parsedZoneXml(answer) : { ...answer, text: json };
}

/** The same with the JSON of its ZoneConfig in place of the zone XML that was read. */
export function parsedZoneXml(answer: FileText): FileAnswer {
  try {
    return { ...answer, text: JSON.stringify(parseZoneXml(answer.text)) };
  } catch (error) {
    if (!(error instanceof ZoneXmlError)) throw error;
    const { message } = error;
    return { type: 'failed', problem: `is not a zone XML: ${message}`, cause: { message, code: undefined } };
  }
}

function readTextNow(request: FileQuery, isWatched: IsWatched | undefined, maxBytes: number): FileAnswer {
  const { path, within } = request;
  try {
    if (within !== undefined && leadsOut(dirname(path), within)) {
      return { type: 'failed', problem: `its directory is a symbolic link that leads out of ${within}` };
    }
    return openAndRead(request, isWatched, maxBytes);
  } catch (error) {
    if (isMissing(error)) return missing(request);
    const { message, code } = error as NodeJS.ErrnoException;
    const isLink = code === 'ELOOP' && within !== undefined;
    const problem = isLink ? 'is a symbolic link, which is not followed' : `cannot be read: ${message}`;
    return { type: 'failed', problem, cause: { message, code } };
  }
}

function openAndRead(request: FileQuery, isWatched: IsWatched | undefined, maxBytes: number): FileAnswer {
  const { path, within } = request;
  const again = () => openAndRead(request, undefined, maxBytes);
  const follow = within === undefined ? 0 : constants.O_NOFOLLOW;
  let file: number;
  try {
    // Without O_NONBLOCK, opening a FIFO would block the thread for ever.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | follow);
  } catch (error) {
    if (isMissing(error) && isWatched?.(path, '') === false) return again();
    throw error;
  }
  try {
    const stats = fstatSync(file, { bigint: true });
    const version = versionOf(stats);
    if (isWatched?.(path, version) === false) return again();
    return readOpenFile(file, stats, version, maxBytes);
  } finally {
    closeSync(file);
  }
}

/**
 * The version of the file that is at a path now, `''` when there is none. `undefined` when it cannot be told: why is for its
 * reader to report.
 */
export function versionNow(path: string, { followsLinks }: { readonly followsLinks: boolean }): FileVersion {
  try {
    const stat = followsLinks ? statSync : lstatSync;
    const stats = stat(path, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? '' : versionOf(stats);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}

/** What is said of a file that does not exist: below a directory that must exist, and does not, that is a failure. */
function missing({ within, withinExists = false }: FileQuery): FileAnswer {
  if (withinExists && within !== undefined && !existsSync(within)) {
    return { type: 'failed', problem: `cannot be read: ${within} does not exist` };
  }
  return { type: 'missing' };
}

/** Whether a directory that should be another, or inside it, is a link to somewhere else. */
function leadsOut(directory: string, within: string): boolean {
  if (directory === within || !lstatSync(directory).isSymbolicLink()) return false;
  return !realpathSync(directory).startsWith(realpathSync(within) + sep);
}

function readOpenFile(file: number, stats: BigIntStats, current: string, maxBytes: number): FileAnswer {
  if (!stats.isFile()) return { type: 'failed', problem: 'is not a regular file' };
  // Taken before reading: a change during the reading shows up later as another version.
  const version = isTooRecent(stats) ? undefined : current;
  // The size is only a first guess: a file may grow while we read. One byte more lets the same read reach the end.
  let buffer = Buffer.allocUnsafe(Math.min(Number(stats.size), maxBytes) + 1);
  let length = 0;
  for (;;) {
    const bytesRead = readSync(file, buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (length > maxBytes) return { type: 'failed', problem: `is larger than ${maxBytes} bytes` };
    // For a regular file, a short read means that there is no more.
    if (length < buffer.length) {
      return { type: 'read', text: buffer.toString('utf8', 0, length), mtimeMs: mtimeMsOf(stats), version };
    }
    const larger = Buffer.allocUnsafe(Math.min(2 * length, maxBytes) + 1);
    buffer.copy(larger);
    buffer = larger;
  }
}

/** With the fraction of a millisecond. */
function mtimeMsOf({ mtimeNs }: BigIntStats): number {
  return Number(mtimeNs / 1_000_000n) + Number(mtimeNs % 1_000_000n) / 1e6;
}
