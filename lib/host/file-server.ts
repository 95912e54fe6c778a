/**
 * What a file thread does: reads files, keeps them watched, and reports what it found. Any of its calls may block, so it
 * announces whose files it will touch before it does.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileWatches } from '../config.js';
import type { FileNews, FileTask } from './file-messages.js';
import { readFileNow } from './file-reader.js';
import { isMissing } from './file-version.js';
import { globalZone } from './paths.js';
import { WatchSet, type Watch } from './watch-set.js';

export interface FileServerOptions {
  readonly watch: Watch;
  readonly tell: (news: FileNews) => void;
  /** Called before a zone's files are touched. */
  readonly onBegin: (zonename: string) => void;
  /** Called when no file is being touched any more. */
  readonly onEnd: () => void;
}

/** Does tasks, in order. */
export class FileServer {
  readonly #options: FileServerOptions;
  readonly #watches: WatchSet;
  /** The paths that are watched for each zone. */
  readonly #zones = new Map<string, readonly string[]>();
  readonly #files = new Map<string, { readonly zonename: string; readonly name: string }>();
  readonly #directories = new Map<string, string>();
  /** Changed files to report when the turn is over, by zone. */
  readonly #changed = new Map<string, Set<string>>();
  #refused: string | undefined;
  /** Directories that could not be listed, and why. */
  readonly #unlisted = new Map<string, string>();
  #told: string | undefined | null = null;
  readonly #poll: NodeJS.Timeout;

  constructor(options: FileServerOptions) {
    this.#options = options;
    this.#watches = new WatchSet({
      watch: options.watch,
      commonOwner: globalZone,
      onLook: options.onBegin,
      onRest: () => {
        this.#rest();
      },
      onChange: (path) => {
        const file = this.#files.get(path);
        if (file !== undefined) this.#change(file.zonename, file.name);
      },
      onEntry: (directory, entry) => {
        this.#enter(directory, entry);
      },
      onTrouble: (error) => {
        this.#refused = error?.message;
        if (this.#told !== null) this.#tellTrouble();
      },
    });
    this.#poll = setInterval(() => {
      this.#watches.poll();
      for (const directory of this.#directories.keys()) {
        // No other directory would report that it is back.
        const isBack = !this.#watches.isWatched(directory) && this.#watches.look(directory);
        if (isBack || this.#unlisted.has(directory)) this.#enter(directory, undefined);
      }
      this.#rest();
    }, fileWatches.pollMs);
  }

  do(task: FileTask): void {
    switch (task.type) {
      case 'read': {
        this.#options.onBegin(task.owner);
        const isWatched = (path: string, version: string) => {
          if (this.#watches.isOn(path, version)) return true;
          this.#watches.look(path); // The watch may be on a file that was replaced unseen.
          return false;
        };
        const answers = task.files.map((file) => readFileNow(file, isWatched));
        const isNews = answers.some(({ type }) => type !== 'unchanged');
        this.#options.tell({ type: 'answers', id: task.id, answers: isNews ? answers : undefined });
        break;
      }
      case 'watch':
        this.#watch(task);
        this.#tellTrouble();
        break;
      case 'unwatch':
        this.#unwatch(task.zonename);
        break;
      case 'rearm':
        for (const path of this.#zones.get(task.zonename) ?? []) this.#watches.rearm(path);
        break;
      case 'mend':
        this.#watches.mend();
        break;
      case 'list-watches':
        this.#options.tell({ type: 'watches', id: task.id, ...this.#watches.status() });
    }
    this.#rest();
  }

  /** Ends every watch. */
  close(): void {
    clearInterval(this.#poll);
    this.#watches.close();
  }

  #watch({ zonename, paths, since }: Extract<FileTask, { readonly type: 'watch' }>): void {
    this.#unwatch(zonename);
    this.#zones.set(
      zonename,
      paths.map(({ path }) => path),
    );
    for (const { name, path, top, owner = zonename, isDirectory } of paths) {
      if (isDirectory === true) {
        this.#directories.set(path, name);
        this.#watches.addDirectory(path, top, owner);
        if (since !== undefined) this.#enter(path, undefined);
        continue;
      }
      this.#files.set(path, { zonename, name });
      this.#watches.addFile(path, top, owner);
      if (since === undefined || !(name in since)) continue;
      // After the watch is in place, for changes since the file was last read.
      if (this.#watches.look(path) || this.#watches.version(path) !== since[name])
        this.#change(zonename, name);
    }
  }

  #unwatch(zonename: string): void {
    for (const path of this.#zones.get(zonename) ?? []) {
      this.#files.delete(path);
      this.#watches.remove(path);
    }
    this.#zones.delete(zonename);
  }

  #change(zonename: string, name: string): void {
    const names = this.#changed.get(zonename);
    if (names === undefined) this.#changed.set(zonename, new Set([name]));
    else names.add(name);
  }

  /** Reports entries that are not watched themselves: the others are reported as files. */
  #enter(directory: string, entry: string | undefined): void {
    const name = this.#directories.get(directory);
    if (name === undefined) return;
    const entries = entry === undefined ? this.#list(directory) : [entry];
    const others = entries.filter((each) => !this.#files.has(join(directory, each)));
    if (others.length > 0) this.#options.tell({ type: 'entries', name, entries: others });
  }

  /** Empty when the directory does not exist: a host without zones. */
  #list(directory: string): string[] {
    this.#options.onBegin(globalZone);
    try {
      const entries = readdirSync(directory);
      this.#unlisted.delete(directory);
      return entries;
    } catch (error) {
      if (isMissing(error)) this.#unlisted.delete(directory);
      else this.#unlisted.set(directory, (error as Error).message);
      return [];
    }
  }

  #rest(): void {
    for (const [zonename, names] of this.#changed) {
      this.#options.tell({ type: 'changed', zonename, names: [...names] });
    }
    this.#changed.clear();
    if (this.#told !== null) this.#tellTrouble();
    this.#options.onEnd();
  }

  /** First called once something is watched: then the source is live. */
  #tellTrouble(): void {
    const [unlisted] = this.#unlisted.values();
    const problem = this.#refused ?? unlisted;
    if (problem === this.#told) return;
    this.#told = problem;
    this.#options.tell({ type: 'trouble', problem });
  }
}
