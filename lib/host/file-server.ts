/**
 * What a file thread does: reads files, keeps them watched, and reports what it found. Any of its calls may block, so it
 * announces whose files it will touch before it does.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileThreads, fileWatches } from '../config.js';
import type { FileNews, FileTask, PlacedText, WatchedPath } from './file-messages.js';
import { readFileNow, versionNow, type IsWatched } from './file-reader.js';
import { isMissing } from './file-version.js';
import { globalZone } from './paths.js';
import { WatchSet, type Watch } from './watch-set.js';
import { ZoneXmlsAhead } from './zone-xmls-ahead.js';

export interface FileServerOptions {
  readonly watch: Watch;
  readonly tell: (news: FileNews) => void;
  /** Whether what is in a changed file may be told with the change: not while the last that was told so is unheard. */
  readonly mayReadAhead: () => boolean;
  /** Called before a zone's files are touched. */
  readonly onBegin: (zonename: string) => void;
  /** Called when no file is being touched any more. */
  readonly onEnd: () => void;
}

interface WatchedFile extends Pick<WatchedPath, 'name' | 'path'> {
  readonly zonename: string;
  readonly owner: string;
  readonly reading: WatchedPath['reading'] | undefined;
}

/** Does tasks, in order. */
export class FileServer {
  readonly #options: FileServerOptions;
  readonly #watches: WatchSet;
  readonly #ahead: ZoneXmlsAhead;
  /** The paths that are watched for each zone. */
  readonly #zones = new Map<string, readonly string[]>();
  readonly #files = new Map<string, WatchedFile>();
  readonly #directories = new Map<string, string>();
  /** Changed files to report when the turn is over, by zone. */
  readonly #changed = new Map<string, Set<WatchedFile>>();
  #refused: string | undefined;
  /** Directories that could not be listed, and why. */
  readonly #unlisted = new Map<string, string>();
  #told: string | undefined | null = null;
  readonly #poll: NodeJS.Timeout;

  constructor(options: FileServerOptions) {
    this.#options = options;
    this.#ahead = new ZoneXmlsAhead({
      onBegin: () => {
        options.onBegin(globalZone);
      },
      onEnd: options.onEnd,
    });
    this.#watches = new WatchSet({
      watch: options.watch,
      commonOwner: globalZone,
      onLook: options.onBegin,
      onRest: () => {
        this.#rest();
      },
      onChange: (path) => {
        const file = this.#files.get(path);
        if (file !== undefined) this.#change(file);
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
        const options = { isWatched: this.#isWatched, parsedAhead: this.#ahead.take };
        const answers = task.files.map((file) => readFileNow(file, options));
        this.#options.tell({ type: 'answers', id: task.id, answers });
        break;
      }
      case 'parse-ahead':
        this.#ahead.begin(task.directory);
        break;
      case 'compare':
        this.#options.tell({ type: 'compared', id: task.id, areUnchanged: this.#areUnchanged(task) });
        break;
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
        this.#ahead.end(); // The first load is over.
        break;
      case 'list-watches':
        this.#options.tell({ type: 'watches', id: task.id, ...this.#watches.status() });
    }
    this.#rest();
  }

  /** Ends every watch. */
  close(): void {
    clearInterval(this.#poll);
    this.#ahead.end();
    this.#watches.close();
  }

  #watch({ zonename, paths, since }: Extract<FileTask, { readonly type: 'watch' }>): void {
    this.#unwatch(zonename);
    this.#zones.set(
      zonename,
      paths.map(({ path }) => path),
    );
    let reading: WatchedFile['reading'];
    for (const { name, path, top, owner = zonename, isDirectory, ...place } of paths) {
      // Files that are read alike share one object: thousands of zones keep theirs.
      if (!isSameReading(place.reading, reading)) ({ reading } = place);
      if (isDirectory === true) {
        this.#directories.set(path, name);
        this.#watches.addDirectory(path, top, owner);
        if (since !== undefined) this.#enter(path, undefined);
        continue;
      }
      const file = { zonename, name, path, owner, reading };
      this.#files.set(path, file);
      this.#watches.addFile(path, top, owner);
      if (since === undefined || !(name in since)) continue;
      // After the watch is in place, for changes since the file was last read.
      if (this.#watches.look(path) || this.#watches.version(path) !== since[name]) this.#change(file);
    }
  }

  #areUnchanged({ zonename, versions }: Extract<FileTask, { readonly type: 'compare' }>): boolean {
    let left = Object.keys(versions).length;
    let isOneThere = false;
    /** Where the zone's own files are. */
    let directory: string | undefined;
    for (const path of this.#zones.get(zonename) ?? []) {
      const file = this.#files.get(path);
      const version = versions[file?.name ?? ''];
      if (file === undefined || version === undefined) continue;
      const isOwn = file.owner === zonename;
      this.#options.onBegin(file.owner);
      if (versionNow(path, { followsLinks: !isOwn }) !== version) return false;
      isOneThere ||= isOwn && version !== '';
      directory ??= file.reading?.within;
      left--;
    }
    if (left > 0) return false;
    if (isOneThere || directory === undefined) return true;
    // If it is missing, too, it is for their reader to say whether it must be there.
    this.#options.onBegin(zonename);
    return existsSync(directory);
  }

  #unwatch(zonename: string): void {
    for (const path of this.#zones.get(zonename) ?? []) {
      this.#files.delete(path);
      this.#watches.remove(path);
    }
    this.#zones.delete(zonename);
  }

  #change(file: WatchedFile): void {
    const files = this.#changed.get(file.zonename);
    if (files === undefined) this.#changed.set(file.zonename, new Set([file]));
    else files.add(file);
  }

  /**
   * Reads changed files before anybody asks: that they will be asked for takes two more messages to learn. Only when each
   * of them can be read and is small, so that what waits for the main thread has a bound.
   */
  #readAhead(files: Iterable<WatchedFile>): readonly PlacedText[] | undefined {
    if (!this.#options.mayReadAhead()) return undefined;
    const texts: PlacedText[] = [];
    const options = { isWatched: this.#isWatched, maxBytes: fileThreads.readAheadMaxBytes };
    for (const { path, owner, reading } of files) {
      if (reading === undefined) return undefined;
      this.#options.onBegin(owner);
      const answer = readFileNow({ path, ...reading }, options);
      if (answer.type !== 'read') return undefined;
      texts.push({ ...answer, path });
    }
    return texts;
  }

  readonly #isWatched: IsWatched = (path, version) => {
    if (this.#watches.isOn(path, version)) return true;
    this.#watches.look(path); // The watch may be on a file that was replaced unseen.
    return false;
  };

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
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const [zonename, files] of changed) {
      const names = [...files].map(({ name }) => name);
      this.#options.tell({ type: 'changed', zonename, names, texts: this.#readAhead(files) });
    }
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

function isSameReading(one: WatchedFile['reading'], other: WatchedFile['reading']): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.within === other.within && one.isZoneXml === other.isZoneXml;
}
