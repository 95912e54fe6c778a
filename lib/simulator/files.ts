/**
 * The ways in which the tools of a real host change files, because a watcher can tell them apart. All are synchronous:
 * when the call returns, the step of the operator's command is done.
 */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

let temporaryFiles = 0;

/** As zonecfg and vmadm do: a temporary file in the same directory, then rename over. A reader sees the old or the new. */
export function replaceFile(path: string, text: string, mtimeMs?: number): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${temporaryFiles++}`);
  writeFileSync(temporary, text);
  if (mtimeMs !== undefined) utimesSync(temporary, mtimeMs / 1000, mtimeMs / 1000);
  renameSync(temporary, path);
}

/** As zoneadmd does with lastexited: truncated, then written in place. A reader can see it empty. */
export function rewriteInPlace(path: string, text: string): void {
  if (existsSync(path)) truncateSync(path);
  writeFileSync(path, text, { flag: existsSync(path) ? 'r+' : 'w' });
}

/** As mv from another filesystem does: the old file is unlinked, and another is created under its name. */
export function moveOver(path: string, text: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, text, { flag: 'wx' });
}

/** The object in a JSON file, or undefined when there is no such file. */
export function readJson(path: string): unknown {
  const text = readIfExists(path);
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

/** The text of a file, or undefined when there is no such file. */
export function readIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Unlinks a file; it need not exist. */
export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Writes a file and the directories above it. */
export function writeWithDirectories(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
