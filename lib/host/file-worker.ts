/** One file thread, seen from the main thread. */
import { performance } from 'node:perf_hooks';
import { SHARE_ENV, Worker } from 'node:worker_threads';
import { fileThreads } from '../config.js';
import { keepHeapSmallStill } from '../v8-flags.js';
import type { FileNews, FileTask, WatchSource } from './file-messages.js';
import { FileProgress, type Work } from './file-progress.js';
import type { FileThreadData } from './file-thread.js';

/** Who is told of a thread. */
export interface FileWorkerEvents {
  readonly onNews: (news: FileNews) => void;
  /** The thread has ended; no more news follows. An error is a bug. */
  readonly onExit: (error: Error | undefined) => void;
}

/** Where a thread is stuck. */
export interface Stuck {
  readonly zonename: string;
  /** When it was first seen there, by the monotonic clock, ms. */
  readonly sinceMs: number;
}

/** A running thread. It does not keep the process alive. */
export class FileWorker {
  readonly #worker: Worker;
  readonly #progress = new FileProgress();
  readonly #exited: Promise<Error | undefined>;
  /** Tasks of this turn: a message costs more than a task does. */
  readonly #tasks: FileTask[] = [];
  #seen: (Work & { readonly sinceMs: number; readonly looks: number }) | undefined;

  constructor(watch: WatchSource) {
    const { youngGenerationMb, oldGenerationMb } = fileThreads;
    const data: FileThreadData = { progress: this.#progress.shared, watch };
    this.#worker = new Worker(new URL('./file-thread.cjs', import.meta.url), {
      name: 'files',
      workerData: data,
      env: SHARE_ENV, // a copy would cost more
      execArgv: [],
      resourceLimits: {
        maxYoungGenerationSizeMb: youngGenerationMb,
        maxOldGenerationSizeMb: oldGenerationMb,
      },
    });
    // Whichever of the two is heard first.
    this.#worker.once('online', keepHeapSmallStill);
    this.#worker.once('message', keepHeapSmallStill);
    let error: Error | undefined;
    this.#worker.on('error', (cause) => {
      error = cause;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        if (code !== 0) error ??= new Error(`the thread that reads files ended with ${code}`);
        resolve(error);
      });
    });
    this.#worker.unref();
  }

  /** It says nothing before it is told to do something. */
  listen({ onNews, onExit }: FileWorkerEvents): void {
    this.#worker.on('message', (all: readonly FileNews[]) => {
      all.forEach(onNews);
      this.#progress.hear(all);
    });
    void this.#exited.then(onExit);
    this.#worker.unref(); // A listener has it keep the process alive again.
  }

  do(task: FileTask): void {
    if (this.#tasks.push(task) > 1) return;
    queueMicrotask(() => {
      this.#worker.postMessage(JSON.stringify(this.#tasks.splice(0)));
    });
  }

  /** To be called at regular intervals. Returns where the thread is stuck, once enough looks in a row have found it there. */
  look(): Stuck | undefined {
    const work = this.#progress.look();
    if (work === undefined) this.#seen = undefined;
    else if (work.count !== this.#seen?.count) this.#seen = { ...work, sinceMs: performance.now(), looks: 1 };
    else this.#seen = { ...this.#seen, looks: this.#seen.looks + 1 };
    return this.#seen !== undefined && this.#seen.looks > fileThreads.looksUntilStuck
      ? this.#seen
      : undefined;
  }

  /** It ends by itself after its current task. */
  retire(): void {
    this.#progress.retire();
  }

  /** Ends it, unless it is stuck: then only the end of its system call or of the process can. */
  async end(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, fileThreads.endMs);
    });
    void this.#worker.terminate();
    await Promise.race([this.#exited, tooLong]);
    clearTimeout(timer);
  }
}

let ahead: FileWorker | undefined;

/**
 * Starts the thread that the next `createFileWorker` gives, for a process that will need one: it starts while the modules of
 * the main thread are loaded, which takes about as long.
 */
export function startFileWorkerAhead(): void {
  ahead ??= new FileWorker({ type: 'native' });
}

/** A thread that runs. */
export function createFileWorker(watch: WatchSource): FileWorker {
  const worker = watch.type === 'native' ? ahead : undefined;
  if (worker === undefined) return new FileWorker(watch);
  ahead = undefined;
  return worker;
}
