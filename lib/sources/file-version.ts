/** What tells one file from another at the same path, and one version of it from another. */
import { statSync, type BigIntStats } from 'node:fs';

/** What is at a path at the moment. */
export interface FileVersion {
  /** Of what is there: device, inode, and of a file its birth; `undefined` when there is nothing, or it cannot be reached. */
  readonly identity: string | undefined;
  /** Another one for every version that the file times can tell apart. */
  readonly fingerprint: string;
  /** When it was last changed, ms since the epoch; -Infinity when there is nothing. */
  readonly changedMs: number;
}

/** Looks at a path. Blocks for some microseconds, and never throws: why a file cannot be reached is for its reader to report. */
export function versionOf(path: string): FileVersion {
  const stat = statOf(path);
  if (typeof stat === 'string') return { identity: undefined, fingerprint: stat, changedMs: -Infinity };
  // A new file may get the inode of the one that it replaces.
  const birth = stat.isFile() ? stat.birthtimeNs : 0n;
  return {
    // `join` makes one flat string, a template a chain of its parts: there are two for each of thousands of files.
    identity: [stat.dev, stat.ino, birth].join(':'),
    fingerprint: [stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':'),
    changedMs: Number(stat.ctimeMs),
  };
}

/** What is there, or the code of the error that says why not. */
function statOf(path: string): BigIntStats | string {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false }) ?? 'ENOENT';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return code;
  }
}
