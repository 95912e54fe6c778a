/**
 * Only one operator's command runs at a time, across all processes that have the tree open: every command reads the tree,
 * changes it and writes it back.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { removeFile } from './files.js';

/** How long to wait before looking again at a lock that another process holds. */
const retryMs = 3;

const queues = new Map<string, Promise<unknown>>();

/** Runs `work` while holding the lock file at `path`, after all work that this process queued for it before. */
export function exclusively<T>(path: string, work: () => Promise<T> | T): Promise<T> {
  const before = queues.get(path) ?? Promise.resolve();
  const mine = before.then(async () => {
    await acquire(path);
    try {
      return await work();
    } finally {
      removeFile(path);
    }
  });
  const settled = mine.then(
    () => undefined,
    () => undefined, // its own caller is told
  );
  queues.set(path, settled);
  void settled.then(() => {
    if (queues.get(path) === settled) queues.delete(path);
  });
  return mine;
}

async function acquire(path: string): Promise<void> {
  for (;;) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (holderIsGone(path)) removeFile(path);
    else await wait(retryMs);
  }
}

function holderIsGone(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // 0 is a holder that has created the file and not yet written its pid.
    if (pid === 0) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
