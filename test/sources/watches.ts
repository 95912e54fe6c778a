/** fs.watch as it behaves elsewhere: on illumos, and where there are no watches left. */
import { EventEmitter } from 'node:events';
import {
  readdirSync,
  readFileSync,
  statSync,
  watch as fsWatch,
  type BigIntStats,
  type FSWatcher,
} from 'node:fs';
import type { Watch } from '../../lib/host/watch-set.js';

/** A watch that a test can look at. */
export interface ObservedWatch {
  readonly watch: Watch;
  /** Paths with an open watch, each as often as it has one. */
  open(): string[];
}

/** fs.watch of this platform, which knows what it has open. */
export function observedWatch(inner: Watch = (path, listener) => fsWatch(path, listener)): ObservedWatch {
  const open = new Map<FSWatcher, string>();
  return {
    open: () => [...open.values()].sort(),
    watch: (path, listener) => {
      const watcher = inner(path, listener);
      open.set(watcher, path);
      const close = watcher.close.bind(watcher);
      watcher.close = () => {
        open.delete(watcher);
        close();
      };
      return watcher;
    },
  };
}

/**
 * Watches like those of event ports: a directory reports that an entry was added, removed or renamed, but not which; a
 * file reports writes to exactly the file that was there when the watch was set. It checks only when told to, so a test
 * decides when events come, and several changes may come as one.
 */
export function illumosWatch(): ObservedWatch & { deliver(): void } {
  const watchers = new Set<() => void>();
  const observed = observedWatch((path, listener) => {
    const { ino, birthtimeNs } = statSync(path, { bigint: true });
    const isDirectory = statSync(path).isDirectory();
    const look = () => {
      const stat = statOf(path);
      if (stat?.ino !== ino || stat.birthtimeNs !== birthtimeNs) return undefined;
      return isDirectory ? entriesOf(path) : readFileSync(path, 'utf8');
    };
    let before = look();
    const check = () => {
      const now = look();
      if (now === before) return;
      // The watch on a replaced or deleted file falls silent for ever; a directory reports its own end.
      if (now === undefined) watchers.delete(check);
      before = now;
      if (now !== undefined || isDirectory) listener(isDirectory ? 'rename' : 'change', null);
    };
    watchers.add(check);
    const watcher = new EventEmitter() as FSWatcher;
    watcher.close = () => void watchers.delete(check);
    return watcher;
  });
  return {
    ...observed,
    deliver: () => {
      for (const check of [...watchers]) check();
    },
  };
}

/** What is at a path, if it can be reached. */
function statOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error;
    return undefined;
  }
}

/** The names and files of a directory: another one when an entry was added, removed or renamed. */
function entriesOf(directory: string): string {
  return readdirSync(directory)
    .map((name) => {
      const stat = statSync(`${directory}/${name}`, { bigint: true, throwIfNoEntry: false });
      return `${name} ${stat?.ino ?? ''} ${stat?.birthtimeNs ?? ''}`;
    })
    .sort()
    .join('\n');
}

/** Refuses every watch while told to, as when the kernel has none left. */
export function refusingWatch(code: 'ENOSPC' | 'EMFILE'): ObservedWatch & { refuse: boolean } {
  const observed = observedWatch((path, listener) => {
    if (refusing.refuse)
      throw Object.assign(new Error(`${code}: no more watches, watch '${path}'`), { code });
    return fsWatch(path, listener);
  });
  const refusing = { ...observed, refuse: true };
  return refusing;
}
