/**
 * Keeps files watched, whatever happens to them: one that was replaced is watched again, one that does not exist yet is
 * noticed when it appears, and one that cannot be watched is polled.
 *
 * fs.watch says only that something may have changed: on illumos a directory does not say which entry, and a watch on a
 * replaced file falls silent. A WatchSet promises no more than that; the file's reader finds out what changed. It runs in
 * a file thread, because all of its calls block.
 */
import type { FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileWatches } from '../config.js';
import { lookAt, timeGrainMs } from './file-version.js';

/** The part of fs.watch that is used. */
export type Watch = (path: string, listener: (event: string, filename: string | null) => void) => FSWatcher;

export interface WatchSetOptions {
  /** Called before it looks at a path of this owner. */
  readonly onLook: (owner: string) => void;
  /** Its work in this turn of the event loop is done. */
  readonly onRest: () => void;
  /** A file may have changed. The watch is on the current file, so a read from here on misses nothing. */
  readonly onChange: (path: string) => void;
  /** A directory may have a new entry that is not watched; `undefined` where the platform does not say which. */
  readonly onEntry: (directory: string, name: string | undefined) => void;
  /** Some path cannot be watched and is polled instead; without an error, all paths can be watched again. */
  readonly onTrouble: (error: Error | undefined) => void;
  readonly watch: Watch;
  /** The owner of the top directories, which several owners share. */
  readonly commonOwner: string;
}

interface Watched {
  readonly owner: string;
  readonly isFile: boolean;
  /** Watched for its own sake, not only for what is in it. */
  isWanted: boolean;
  /** The files and directories for whose sake this directory is watched. For a file: one empty set that all files share. */
  readonly entries: Set<string>;
  watcher: FSWatcher | undefined;
  /** What the watcher is on, or what was last seen: device, inode and, for a file, birth time. */
  identity: string | undefined;
  /** When last looked at. */
  version: string | undefined;
  /** When that was, ms since the epoch. */
  lookedAtMs: number;
}

const noEntries = new Set<string>();

/** Watches on files and on the directories above them. It owns the FSWatchers; `close` gives them back. */
export class WatchSet {
  readonly #watched = new Map<string, Watched>();
  /** Paths that exist and that fs.watch refused. */
  readonly #refused = new Set<string>();
  /** Paths to look at in the turns to come. */
  readonly #toLookAt = new Set<string>();
  /** The names that fs.watch reported in this turn, by path. One change causes several raw events. */
  readonly #raw = new Map<string, Set<string | null>>();
  #rawTurn: NodeJS.Immediate | undefined;
  #turn: NodeJS.Immediate | undefined;
  readonly #options: WatchSetOptions;

  constructor(options: WatchSetOptions) {
    this.#options = options;
  }

  /** The number of files and directories with a watch, and without one (missing, or the watch was refused). */
  status(): { watching: string[]; notWatching: string[] } {
    const watching: string[] = [];
    const notWatching: string[] = [];
    for (const [path, { watcher }] of this.#watched)
      (watcher === undefined ? notWatching : watching).push(path);
    return { watching, notWatching };
  }

  /** Watches a file, which need not exist, and the directories above it up to `top`. */
  addFile(path: string, top: string, owner: string): void {
    if (this.#watched.has(path)) return;
    this.#addAbove(path, top, owner);
    this.#add(path, true, owner);
  }

  /** Watches a directory, which need not exist, and those above it up to `top`. */
  addDirectory(path: string, top: string, owner: string): void {
    this.#addAbove(path, top, owner);
    if (!this.#watched.has(path)) this.#add(path, false, owner);
    const watched = this.#watched.get(path);
    if (watched !== undefined) watched.isWanted = true;
  }

  /** The version of a watched path when it was last looked at; `''` when nothing was there. */
  version(path: string): string | undefined {
    return this.#watched.get(path)?.version;
  }

  /** Whether the watch on a path is on this version of its file (`''`: on none). True for a path that nobody watches. */
  isOn(path: string, version: string): boolean {
    const watched = this.#watched.get(path);
    if (watched === undefined) return true;
    return watched.version === version && (version === '' || watched.watcher !== undefined);
  }

  /** Whether there is a watch on what is at the path now. */
  isWatched(path: string): boolean {
    return this.#watched.get(path)?.watcher !== undefined;
  }

  /** Ends the watch on a file, and on directories that were watched only for its sake. */
  remove(path: string): void {
    const watched = this.#watched.get(path);
    if (watched === undefined) return;
    watched.watcher?.close();
    this.#watched.delete(path);
    this.#accept(path);
    const directory = this.#watched.get(dirname(path));
    directory?.entries.delete(path);
    if (directory?.entries.size === 0 && !directory.isWanted) this.remove(dirname(path));
  }

  /**
   * Looks at what is there now and puts the watch on it. True when it may have changed since the last look. If a
   * directory was replaced, its entries are looked at as well.
   */
  look(path: string): boolean {
    return this.#look(path, true);
  }

  #look(path: string, forChanges: boolean): boolean {
    const watched = this.#watched.get(path);
    if (watched === undefined) return false;
    this.#options.onLook(watched.owner);
    const before = watched.identity;
    const { lookedAtMs } = watched;
    watched.lookedAtMs = Date.now();
    let changed = this.#stat(path, watched, lookedAtMs);
    if (watched.identity === undefined) this.#accept(path); // Its directory reports when it comes back.
    if (watched.identity !== before || watched.watcher === undefined) {
      watched.watcher?.close();
      watched.watcher = undefined;
      // Watch first, then look once more: a change in between shows up in one of the two.
      if (watched.identity !== undefined && this.#arm(path, watched) && forChanges) {
        changed = this.#stat(path, watched, lookedAtMs) || changed;
      }
    }
    if (watched.identity !== before) {
      for (const entry of watched.entries) this.#lookAndTell(entry);
    }
    return changed;
  }

  /** Puts new watches on a path and the directories above it: a rollback loses watches on files that seem the same. */
  rearm(path: string): void {
    const watched = this.#watched.get(path);
    if (watched === undefined) return;
    this.rearm(dirname(path));
    const old = watched.watcher;
    watched.watcher = undefined;
    this.look(path);
    old?.close(); // Only now, so that no change is missed in between.
  }

  /** Looks at every path whose watch was refused, over the next turns, and reports those that changed. */
  poll(): void {
    this.#lookSoon(this.#refused);
  }

  /**
   * Looks at all directories over the next turns: every watch on one is then on what is there now. Files are looked at when
   * their readers find them changed, or when their directory was replaced.
   */
  mend(): void {
    this.#lookSoon([...this.#watched].flatMap(([path, { isFile }]) => (isFile ? [] : [path])));
  }

  /** Ends every watch. */
  close(): void {
    clearImmediate(this.#turn);
    clearImmediate(this.#rawTurn);
    for (const { watcher } of this.#watched.values()) watcher?.close();
    this.#watched.clear();
    this.#refused.clear();
    this.#toLookAt.clear();
  }

  /** A bounded number in each turn of the event loop: a large host has thousands. */
  #lookSoon(paths: Iterable<string>): void {
    for (const path of paths) this.#toLookAt.add(path);
    if (this.#toLookAt.size === 0) return;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      let left: number = fileWatches.statsPerTurn;
      for (const path of this.#toLookAt) {
        if (left-- === 0) break;
        this.#toLookAt.delete(path);
        this.#lookAndTell(path);
        const watched = this.#watched.get(path);
        if (!this.#refused.has(path) || watched === undefined || watched.isFile) continue;
        for (const entry of watched.entries) this.#toLookAt.add(entry);
        this.#options.onEntry(path, undefined);
      }
      this.#options.onRest();
      this.#lookSoon([]);
    });
  }

  #addAbove(path: string, top: string, owner: string): void {
    const directory = dirname(path);
    if (path === top || path === directory || this.#watched.has(directory)) return;
    this.#addAbove(directory, top, owner);
    this.#add(directory, false, directory === top ? this.#options.commonOwner : owner);
  }

  #add(path: string, isFile: boolean, owner: string): void {
    this.#watched.set(path, {
      owner,
      isFile,
      isWanted: isFile,
      entries: isFile ? noEntries : new Set(),
      watcher: undefined,
      identity: undefined,
      version: undefined,
      lookedAtMs: 0,
    });
    this.#watched.get(dirname(path))?.entries.add(path);
    // The caller reads it only after this, so nothing can have changed yet.
    this.#look(path, false);
  }

  #stat(path: string, watched: Watched, lookedAtMs: number): boolean {
    const { identity, version, changedMs } = lookAt(path);
    const changed = changedMs > lookedAtMs - timeGrainMs || version !== watched.version;
    watched.identity = identity;
    watched.version = version;
    return changed;
  }

  #arm(path: string, watched: Watched): boolean {
    // One function for both: thousands of paths have it.
    const hear = (news: string | Error, filename: string | null = null) => {
      if (news instanceof Error) this.#fail(path, news);
      else this.#collect(path, filename);
    };
    try {
      watched.watcher = this.#options.watch(path, hear).on('error', hear);
      this.#accept(path);
      return true;
    } catch (error) {
      // Gone again: its directory reports when it comes back.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#refuse(path, error as Error);
      return false;
    }
  }

  /** The watch on a path has failed, and has ended. */
  #fail(path: string, error: Error): void {
    const watched = this.#watched.get(path);
    if (watched?.watcher === undefined) return;
    watched.watcher.close();
    watched.watcher = undefined;
    this.#refuse(path, error);
  }

  /** Reported once, not for each of possibly thousands of paths. */
  #refuse(path: string, error: Error): void {
    if (this.#refused.size === 0) this.#options.onTrouble(error);
    this.#refused.add(path);
  }

  #accept(path: string): void {
    if (this.#refused.delete(path) && this.#refused.size === 0) this.#options.onTrouble(undefined);
  }

  /** A raw event of fs.watch on a path. */
  #collect(path: string, filename: string | null): void {
    const names = this.#raw.get(path);
    if (names === undefined) this.#raw.set(path, new Set([filename]));
    else names.add(filename);
    this.#rawTurn ??= setImmediate(() => {
      this.#rawTurn = undefined;
      const raw = [...this.#raw];
      this.#raw.clear();
      this.#take(raw);
      this.#options.onRest();
    });
  }

  /** Handles all raw events of a turn: each path that they name is looked at and reported once. */
  #take(raw: readonly (readonly [path: string, names: ReadonlySet<string | null>])[]): void {
    const touched = new Set<string>();
    for (const [path, names] of raw) {
      const watched = this.#watched.get(path);
      if (watched === undefined) continue;
      if (watched.isFile) {
        touched.add(path);
        continue;
      }
      this.look(path); // First the directory itself: its entries are looked at once it is watched.
      for (const name of names) {
        if (name === null) {
          for (const entry of watched.entries) this.#lookAndTell(entry);
          this.#options.onEntry(path, undefined);
        } else if (watched.entries.has(join(path, name))) {
          touched.add(join(path, name));
        } else if (name !== basename(path)) {
          // inotify reports a directory's own removal under its own name; that is no entry of it.
          this.#options.onEntry(path, name);
        }
      }
    }
    for (const path of touched) {
      this.look(path);
      if (this.#watched.get(path)?.isFile === true) this.#options.onChange(path);
    }
  }

  #lookAndTell(path: string): void {
    if (this.look(path) && this.#watched.get(path)?.isFile === true) this.#options.onChange(path);
  }
}
