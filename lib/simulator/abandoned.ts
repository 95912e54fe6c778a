/**
 * Temporary trees belong to the process that made them. A process that is killed leaves its tree behind; the next one
 * removes it.
 */
import { mkdtempSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathsOf, type Paths } from './paths.js';

const prefix = 'simulated-gz-';

/** A fresh directory below the system's temporary directory. */
export function temporaryDirectory(): string {
  return mkdtempSync(join(realpathSync(tmpdir()), prefix));
}

/** Makes this process the tree's owner. */
export function own(paths: Paths): void {
  writeFileSync(paths.owner, `${hostname()} ${process.pid}`);
}

/** The temporary trees whose owner is gone, without those that belong to nobody or to another machine. */
export function abandonedTrees(): readonly string[] {
  const directory = realpathSync(tmpdir());
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix))
    .map((name) => join(directory, name))
    .filter((root) => isAbandoned(pathsOf(root)));
}

function isAbandoned({ owner }: Paths): boolean {
  const [host, pid] = readOwner(owner).split(' ');
  return host === hostname() && pid !== undefined && !isRunning(Number(pid));
}

function readOwner(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // Somebody else's tree that we may not read, or one that is just being made or removed.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
