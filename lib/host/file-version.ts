/** What tells one file from another at the same path, and one version of it from another. */
import { statSync, type BigIntStats } from 'node:fs';

/**
 * Another one for every version of a file that its times can tell apart; `''` when there is no file. `undefined` when one
 * cannot tell, because it was changed within a tick of the clock of file times: then it must be read again.
 */
export type FileVersion = string | undefined;

/** What is at a path at the moment. */
export interface FileLook {
  /** Of what is there: device, inode, and of a file its birth; `undefined` when there is nothing, or it cannot be reached. */
  readonly identity: string | undefined;
  /** As in {@link FileVersion}; the code of the error when it cannot be reached. */
  readonly version: string;
  /** When it was last changed, ms since the epoch; -Infinity when there is nothing. */
  readonly changedMs: number;
}

/** File times are as coarse as a clock tick, up to 10 ms: a file changed that recently may change and look the same. */
export const timeGrainMs = 20;

/** Of a file that is there, whenever it was changed. In base 36, because thousands are kept. */
export function versionOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].map((each) => each.toString(36)).join(':');
}

/** Of a file that is there and is about to be read. */
export function readVersionOf(stats: BigIntStats): FileVersion {
  return Number(stats.ctimeMs) > Date.now() - timeGrainMs ? undefined : versionOf(stats);
}

/** Looks at a path. Blocks as long as the file system does, and never throws: why a file cannot be reached is for its reader to report. */
export function lookAt(path: string): FileLook {
  const stats = statOf(path);
  if (typeof stats === 'string') return { identity: undefined, version: stats, changedMs: -Infinity };
  // A new file may get the inode of the one that it replaces.
  const birth = stats.isFile() ? stats.birthtimeNs : 0n;
  return {
    // `join` makes one flat string, a template a chain of its parts: there are two for each of thousands of files.
    identity: [stats.dev, stats.ino, birth].join(':'),
    version: versionOf(stats),
    changedMs: Number(stats.ctimeMs),
  };
}

/** Whether the error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What is there, or the version that stands for nothing or for the error that keeps us from it. */
function statOf(path: string): BigIntStats | string {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? '';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return isMissing(error) ? '' : code;
  }
}
