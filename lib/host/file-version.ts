/** Tells one file from another at the same path, and one version of a file from another. */
import { statSync, type BigIntStats } from 'node:fs';

/**
 * Differs between all versions of a file that its times can tell apart; `''` when there is no file. `undefined` when the
 * file was changed less than a tick of the file-time clock ago, so that a later change may look the same: then it must be
 * read again.
 */
export type FileVersion = string | undefined;

/** What is at a path now. */
export interface FileLook {
  /** Device, inode and, for a file, birth time; `undefined` when nothing is there or it cannot be reached. */
  readonly identity: string | undefined;
  /** For a file as in {@link FileVersion}; the error code when it cannot be reached. A directory that stays has always the same. */
  readonly version: string;
  /** When it was last changed, ms since the epoch; -Infinity when there is nothing. */
  readonly changedMs: number;
}

/** File times are as coarse as a clock tick, up to 10 ms: a file changed that recently may change again and look the same. */
export const timeGrainMs = 20;

/** The version of an existing file, however recently it was changed. In base 36, because thousands are kept. */
export function versionOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].map((each) => each.toString(36)).join(':');
}

/** Whether a file was changed so recently that it may change again and have the same version. */
export function isTooRecent({ ctimeMs }: BigIntStats): boolean {
  return Number(ctimeMs) > Date.now() - timeGrainMs;
}

/** Looks at a path. Blocks as long as the file system does, and never throws: why a file cannot be reached is for its reader to report. */
export function lookAt(path: string): FileLook {
  const stats = statOf(path);
  if (typeof stats === 'string') return { identity: undefined, version: stats, changedMs: -Infinity };
  const isFile = stats.isFile();
  // `join` makes one flat string where a template makes a chain of its parts: thousands of files have two of these each.
  // A new file may get the inode of the one that it replaces.
  const identity = [stats.dev, stats.ino, isFile ? stats.birthtimeNs : 0n].join(':');
  return { identity, version: isFile ? versionOf(stats) : identity, changedMs: Number(stats.ctimeMs) };
}

/** Whether the error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What is there, or else the version that stands for a missing file or for the error. */
function statOf(path: string): BigIntStats | string {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? '';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return isMissing(error) ? '' : code;
  }
}
