/**
 * Reads and watches files in threads. One thread does everything, in order. When it gets stuck in a system call, the zone
 * whose file system it was reading (the owner) counts as hung and keeps that thread; another thread takes over all other
 * zones. When a stuck thread moves again it ends, and its zone rejoins the others. What a zone has in /etc/zones belongs
 * to the global zone, and is read and watched while the zone itself hangs.
 *
 * Not the thread pool of libuv: its four threads are gone as soon as four calls hang.
 */
import { performance } from 'node:perf_hooks';
import { Subject } from 'rxjs';
import { backoffLimits, fileThreads } from '../config.js';
import type {
  FileAnswer,
  FileNews,
  FileRequest,
  FileTask,
  KnownVersions,
  PlacedText,
  Versions,
  WatchSource,
  WatchStatus,
  WatchedPath,
} from './file-messages.js';
import type { FileVersion } from './file-version.js';
import { createFileWorker, type FileWorker, type Stuck } from './file-worker.js';
import {
  FileError,
  FilesEndedError,
  type FileEvent,
  type Files,
  type FileThreadsStatus,
  type TextReading,
} from './files.js';
import { globalZone } from './paths.js';

/** Threads start when there is something to do. `ending` ends them. */
export function createFileThreads(watch: WatchSource = { type: 'native' }, ending?: AbortSignal): Files {
  const threads = new FileThreads(watch);
  ending?.addEventListener('abort', () => void threads.end());
  return threads;
}

interface WatchedZone {
  readonly paths: () => readonly WatchedPath[];
  /** Versions as last read, for a thread that takes over. */
  readonly versions: Record<string, FileVersion>;
}

type Changed = Extract<FileNews, { readonly type: 'changed' }>;

interface HungZone {
  readonly since: Date;
  readonly sinceMs: number;
  /** The stuck thread; `undefined` once it has ended. */
  worker: FileWorker | undefined;
  /** When the zone will rejoin the others, once its thread has ended. */
  backAtMs: number;
}

/** A task that a thread has yet to answer. */
interface Question {
  readonly task: Extract<FileTask, { readonly id: number }>;
  readonly take: (news: FileNews) => void;
  /** Resolves without an answer. */
  readonly giveUp: () => void;
  readonly reject: (error: Error) => void;
}

class FileThreads implements Files {
  readonly events = new Subject<FileEvent>();
  readonly #watch: WatchSource;
  readonly #watched = new Map<string, WatchedZone>();
  readonly #questions = new Map<number, Question>();
  readonly #hung = new Map<string, HungZone>();
  /** Zones that hung recently: how often in a row, and when they came back. */
  readonly #relapses = new Map<string, { readonly count: number; readonly backAtMs: number }>();
  readonly #workers = new Set<FileWorker>();
  /** The thread that does everything for the zones that do not hang. */
  #common: FileWorker | undefined;
  /** Since when there has been no such thread, because too many are stuck. */
  #stalledSinceMs: number | undefined;
  #problem: string | undefined;
  #told: string | undefined | null = null;
  #timer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #ending: Promise<void> | undefined;

  constructor(watch: WatchSource) {
    this.#watch = watch;
  }

  async read(zonename: string, files: readonly FileRequest[]): Promise<readonly TextReading[]> {
    const ownerOf = ({ owner = zonename }: FileRequest) => owner;
    const owners = [...new Set(files.map(ownerOf))];
    const readings = await Promise.all(
      owners.map(async (owner) => {
        const its = files.filter((file) => ownerOf(file) === owner);
        return (await this.#read(owner, zonename, its)).values();
      }),
    );
    return files.flatMap((file) => readings[owners.indexOf(ownerOf(file))]?.next().value ?? []);
  }

  /** Reads files that all lie in the file system of one owner. */
  #read(owner: string, zonename: string, files: readonly FileRequest[]): Promise<readonly TextReading[]> {
    const task = { type: 'read', id: this.#nextId++, owner, files } as const;
    return this.#ask(task, (news) => {
      if (news?.type !== 'answers')
        return files.map(({ path }) => ({ type: 'failed', error: this.#hangs(owner, path) }));
      const names = files.map(({ name }) => name);
      this.#keepVersions(zonename, names, news.answers);
      return news.answers.map((answer, index) => textReading(files[index]?.path ?? '', answer));
    });
  }

  parseAhead(directory: string): void {
    this.#do(globalZone, { type: 'parse-ahead', directory });
  }

  areUnchanged(zonename: string, versions: KnownVersions): Promise<boolean> {
    // One task for the files of both owners: so it is only for when neither hangs.
    if (this.#hung.has(zonename) || this.#hung.has(globalZone)) return Promise.resolve(false);
    const task = { type: 'compare', id: this.#nextId++, zonename, versions } as const;
    return this.#ask(task, (news) => news?.type === 'compared' && news.areUnchanged);
  }

  watch(zonename: string, paths: () => readonly WatchedPath[]): void {
    this.#watched.set(zonename, { paths, versions: {} });
    this.#do(undefined, { type: 'watch', zonename, paths: this.#inReach(zonename, paths()) });
  }

  unwatch(zonename: string): void {
    if (this.#watched.delete(zonename)) this.#do(undefined, { type: 'unwatch', zonename });
  }

  rearm(zonename: string): void {
    if (this.#watched.has(zonename)) this.#do(undefined, { type: 'rearm', zonename });
  }

  mend(): void {
    this.#common?.do({ type: 'mend' });
  }

  status(): FileThreadsStatus {
    const hung = [...this.#hung].map(([zonename, { since }]) => ({ zonename, since: since.toISOString() }));
    const { size: threads } = this.#workers;
    // After the end, the threads that are left; before, all but the working one.
    const stuck = threads - (this.#common === undefined ? 0 : 1);
    return { threads, stuck, hung, stalled: this.#stalledSinceMs !== undefined };
  }

  async watchStatus(): Promise<WatchStatus> {
    if (this.#ending !== undefined) return { watching: [], notWatching: [] };
    const task = { type: 'list-watches', id: this.#nextId++ } as const;
    const asked = this.#ask(task, (news) => (news?.type === 'watches' ? news : undefined));
    const answer = await asked.catch((error: unknown) => {
      if (error instanceof FilesEndedError) return undefined;
      throw error;
    });
    const unwatched = [...this.#watched].flatMap(([zonename, { paths }]) =>
      paths().filter(({ owner = zonename }) => answer === undefined || this.#hung.has(owner)),
    );
    return {
      watching: answer?.watching ?? [],
      notWatching: [...(answer?.notWatching ?? []), ...unwatched.map(({ path }) => path)],
    };
  }

  end(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  async #end(error = new FilesEndedError()): Promise<void> {
    clearInterval(this.#timer);
    for (const { reject } of this.#questions.values()) reject(error);
    this.#questions.clear();
    this.#hung.clear();
    this.#common = undefined;
    await Promise.all([...this.#workers].map((worker) => worker.end()));
  }

  /** @param take Turns the answer into the result; called without one when there is no answer. */
  #ask<T>(task: Question['task'], take: (news: FileNews | undefined) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#ending !== undefined) {
        reject(new FilesEndedError());
        return;
      }
      const answer = (news?: FileNews) => {
        this.#questions.delete(task.id);
        if (this.#questions.size === 0) this.#timer?.unref();
        resolve(take(news));
      };
      const question = {
        task,
        take: answer,
        giveUp: () => {
          answer();
        },
        reject,
      };
      if (this.#isOverdue(ownerOf(task))) {
        question.giveUp();
        return;
      }
      this.#do(ownerOf(task), task);
      this.#questions.set(task.id, question);
      this.#timer?.ref();
    });
  }

  /** A task that cannot be done now is done when its owner is back. */
  #do(owner: string | undefined, task: FileTask): void {
    if (this.#ending !== undefined || this.#stalledSinceMs !== undefined) return;
    if (owner !== undefined && this.#hung.has(owner)) return;
    this.#common ??= this.#start();
    this.#common.do(task);
  }

  #start(): FileWorker {
    this.#timer ??= setInterval(() => {
      this.#look();
    }, fileThreads.lookMs).unref();
    const worker = createFileWorker(this.#watch);
    worker.listen({
      onNews: (news) => {
        this.#take(news, worker);
      },
      onExit: (error) => {
        this.#exited(worker, error);
      },
    });
    this.#workers.add(worker);
    return worker;
  }

  #take(news: FileNews, worker: FileWorker): void {
    if (this.#ending !== undefined) return;
    switch (news.type) {
      case 'answers':
      case 'compared':
      case 'watches':
        this.#questions.get(news.id)?.take(news);
        break;
      case 'trouble':
        if (worker !== this.#common) return;
        this.#problem = news.problem;
        this.#tellTrouble();
        break;
      case 'changed':
        this.#tellChanged(news, worker);
        break;
      default:
        this.events.next(news);
    }
  }

  /** Passes on what was read with a change, unless the zone's files are elsewhere by now, or another thread reads them. */
  #tellChanged({ zonename, names, texts }: Changed, worker: FileWorker): void {
    const paths = texts === undefined ? [] : (this.#watched.get(zonename)?.paths() ?? []);
    const isThere = ({ path }: PlacedText, index: number) =>
      paths.some((watched) => watched.name === names[index] && watched.path === path);
    const isCurrent = worker === this.#common && texts?.every(isThere) === true;
    if (isCurrent) this.#keepVersions(zonename, names, texts);
    const readings = isCurrent ? texts.map((text) => textReading(text.path, text)) : undefined;
    this.events.next({ type: 'changed', zonename, names, readings });
  }

  #look(): void {
    const stuck = this.#common?.look();
    if (stuck !== undefined) this.#giveUp(stuck);
    if (this.#hung.size === 0) return;
    for (const question of this.#questions.values()) {
      if (this.#isOverdue(ownerOf(question.task))) question.giveUp();
    }
    for (const [zonename, { worker, backAtMs }] of this.#hung) {
      if (worker === undefined && backAtMs <= performance.now()) this.#bringBack(zonename);
    }
  }

  /** Leaves the common thread to the zone that blocks it. */
  #giveUp({ zonename, sinceMs }: Stuck): void {
    const worker = this.#common;
    worker?.retire();
    this.#common = undefined;
    const since = new Date(Date.now() - (performance.now() - sinceMs));
    this.#hung.set(zonename, { since, sinceMs, worker, backAtMs: Infinity });
    for (const question of this.#questions.values()) if (question.task.type === 'compare') question.giveUp();
    const stuck = [...this.#hung.values()].filter((each) => each.worker !== undefined);
    if (stuck.length > fileThreads.maxStuck) this.#stalledSinceMs = performance.now();
    else this.#takeOver();
    this.#tellTrouble();
  }

  /** Hands everything to a fresh thread: the watches first, so that no change is missed. */
  #takeOver(): void {
    this.#stalledSinceMs = undefined;
    const worker = (this.#common = this.#start());
    for (const [zonename, { paths, versions }] of this.#watched) {
      const inReach = this.#inReach(zonename, paths());
      if (inReach.length === 0) continue;
      worker.do({ type: 'watch', zonename, paths: inReach, since: sinceOf(versions) });
    }
    for (const { task } of this.#questions.values()) this.#do(ownerOf(task), task);
  }

  #exited(worker: FileWorker, error: Error | undefined): void {
    this.#workers.delete(worker);
    if (this.#ending !== undefined) return;
    const [zonename, hung] = [...this.#hung].find(([, each]) => each.worker === worker) ?? [];
    if (error !== undefined || zonename === undefined || hung === undefined) {
      const bug = new FilesEndedError({ cause: error });
      this.#ending = this.#end(bug);
      this.events.error(bug);
      return;
    }
    hung.worker = undefined;
    const now = performance.now();
    const last = this.#relapses.get(zonename);
    const count = last !== undefined && now - last.backAtMs < fileThreads.calmMs ? last.count + 1 : 0;
    const delayMs = count === 0 ? 0 : Math.min(backoffLimits.maxMs, backoffLimits.minMs * 2 ** count);
    hung.backAtMs = now + delayMs;
    this.#relapses.set(zonename, { count, backAtMs: hung.backAtMs });
    if (this.#stalledSinceMs !== undefined) this.#takeOver();
    if (delayMs === 0) this.#bringBack(zonename);
  }

  /** Tasks that were requested meanwhile are done now, after the watches are set. */
  #bringBack(owner: string): void {
    if (this.#stalledSinceMs !== undefined) return;
    this.#hung.delete(owner);
    const back = [...this.#watched].filter(([zonename, { paths }]) =>
      paths().some((path) => (path.owner ?? zonename) === owner),
    );
    for (const [zonename, { paths, versions }] of back) {
      const inReach = this.#inReach(zonename, paths());
      this.#do(owner, { type: 'watch', zonename, paths: inReach, since: sinceOf(versions) });
    }
    for (const { task } of this.#questions.values()) if (ownerOf(task) === owner) this.#do(owner, task);
    for (const [zonename] of back) this.events.next({ type: 'stale', zonename });
    this.#tellTrouble();
    for (const [name, { backAtMs }] of this.#relapses) {
      if (performance.now() - backAtMs > fileThreads.calmMs) this.#relapses.delete(name);
    }
  }

  /** The paths of a zone whose owners do not hang. */
  #inReach(zonename: string, paths: readonly WatchedPath[]): readonly WatchedPath[] {
    return paths.filter(({ owner = zonename }) => !this.#hung.has(owner));
  }

  /** Whether a reading counts as failed by now: an owner may just be slow for a moment. */
  #isOverdue(owner: string | undefined): boolean {
    const hung = owner === undefined ? undefined : this.#hung.get(owner);
    const sinceMs = hung?.sinceMs ?? this.#stalledSinceMs;
    return sinceMs !== undefined && performance.now() - sinceMs > fileThreads.readTimeoutMs;
  }

  #hangs(owner: string, path: string): FileError {
    return new FileError(
      path,
      this.#hung.has(owner)
        ? 'does not answer: its file system hangs'
        : `waits for the file systems of ${[...this.#hung.keys()].join(', ')}, which hang`,
    );
  }

  #keepVersions(zonename: string, names: readonly string[], answers: readonly FileAnswer[]): void {
    const versions = this.#watched.get(zonename)?.versions;
    if (versions === undefined) return;
    answers.forEach((answer, index) => {
      const name = names[index] ?? '';
      if (answer.type === 'read') versions[name] = answer.version;
      else if (answer.type === 'missing') versions[name] = '';
    });
  }

  #tellTrouble(): void {
    const hung = [...this.#hung.keys()].join(', ');
    const problem = hung === '' ? this.#problem : `the file system of ${hung} hangs`;
    if (problem === this.#told) return;
    this.#told = problem;
    this.events.next({ type: 'trouble', error: problem === undefined ? undefined : new Error(problem) });
  }
}

function sinceOf(versions: Readonly<Record<string, FileVersion>>): Versions {
  return Object.fromEntries(Object.entries(versions).map(([name, version]) => [name, version ?? null]));
}

function ownerOf(task: Question['task']): string | undefined {
  return task.type === 'read' ? task.owner : undefined;
}

function textReading(path: string, answer: FileAnswer): TextReading {
  switch (answer.type) {
    case 'read':
      return {
        type: 'read',
        value: { value: answer.text, mtimeMs: answer.mtimeMs },
        version: answer.version,
      };
    case 'missing':
      return { type: 'read', value: undefined, version: '' };
    case 'failed': {
      const { problem, cause } = answer;
      const options = cause && { cause: Object.assign(new Error(cause.message), { code: cause.code }) };
      return { type: 'failed', error: new FileError(path, problem, options) };
    }
  }
}
