/**
 * Reads files whole, and tells one version of a file from another. A file that does not exist is `undefined`, never an error;
 * a size limit and non-blocking opens keep a strange file from filling the memory or holding the process.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileMaxBytes } from '../config.js';
import type { FileInput } from '../vm/inputs.js';

/** A file that cannot be read, or does not hold what it should. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly path: string;

  constructor(path: string, problem: string, options?: { readonly cause: unknown }) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}

/** What tells one version of a file from another: any rewrite, in place or by rename, changes it. */
export interface Fingerprint {
  readonly ino: bigint;
  readonly size: bigint;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  /** Nanoseconds since the epoch. */
  readonly ctimeNs: bigint;
}

/**
 * The text of a file and its mtime, both of the same open file; `undefined` if it does not exist.
 *
 * @throws FileError also when it is larger than `maxBytes`, or is not a regular file.
 */
export function readTextFile(
  path: string,
  maxBytes: number = fileMaxBytes,
): Promise<FileInput<string> | undefined> {
  // At once, and not in the thread pool: our files are small and local, and four trips to a thread take ten times as
  // long as reading one. Whoever reads many gives way in between.
  return new Promise((resolve) => {
    resolve(readNow(path, maxBytes));
  });
}

/**
 * The fingerprint of a file or directory; `undefined` if it does not exist.
 *
 * @throws FileError
 */
export async function fingerprint(path: string): Promise<Fingerprint | undefined> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return { ino, size, mtimeNs, ctimeNs };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asFileError(path, error);
  }
}

/** Whether two looks at a path saw the same version of the same file. */
export function sameFingerprint(a: Fingerprint | undefined, b: Fingerprint | undefined): boolean {
  return a?.ino === b?.ino && a?.size === b?.size && a?.mtimeNs === b?.mtimeNs && a?.ctimeNs === b?.ctimeNs;
}

function readNow(path: string, maxBytes: number): FileInput<string> | undefined {
  try {
    // Without O_NONBLOCK, opening a FIFO would hold the process for ever.
    const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readOpenFile(file, path, maxBytes);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw asFileError(path, error);
  }
}

function readOpenFile(file: number, path: string, maxBytes: number): FileInput<string> {
  const stats = fstatSync(file);
  if (!stats.isFile()) throw new FileError(path, 'is not a regular file');
  // The size is only a first guess: a file may grow while we read. One byte more shows its end in the same read.
  let buffer = Buffer.allocUnsafe(Math.min(stats.size, maxBytes) + 1);
  let length = 0;
  for (;;) {
    const bytesRead = readSync(file, buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (length > maxBytes) throw new FileError(path, `is larger than ${maxBytes} bytes`);
    // Of a regular file, less than asked for is all that there is.
    if (length < buffer.length) return { value: buffer.toString('utf8', 0, length), mtimeMs: stats.mtimeMs };
    const larger = Buffer.allocUnsafe(Math.min(2 * length, maxBytes) + 1);
    buffer.copy(larger);
    buffer = larger;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function asFileError(path: string, error: unknown): FileError {
  if (error instanceof FileError) return error;
  return new FileError(path, `cannot be read: ${(error as Error).message}`, { cause: error });
}
