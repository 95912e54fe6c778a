/** The files of the host as a value: read and watched by threads, so that a file system that hangs never holds ours. */
import type { Observable } from 'rxjs';
import type { FileInput } from '../vm/inputs.js';
import type { FileRequest, WatchStatus, WatchedPath } from './file-messages.js';
import type { FileVersion } from './file-version.js';

/** A file that cannot be read, or does not hold what it should. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly path: string;

  constructor(path: string, problem: string, options?: { readonly cause: unknown }) {
    super(`${path}: ${problem}`, options);
    this.path = path;
  }
}

/** What became of reading a file. */
export type FileReading<T> =
  | { readonly type: 'read'; readonly value: T; readonly version: FileVersion }
  /** It still is the version that the reader knows. */
  | { readonly type: 'unchanged' }
  | { readonly type: 'failed'; readonly error: FileError };

/** The text of a file; `undefined` when there is none. */
export type TextReading = FileReading<FileInput<string> | undefined>;

/** What is told of watched files. */
export type FileEvent =
  /** These, by name, may have changed; whoever reads them from here on misses nothing. */
  | { readonly type: 'changed'; readonly zonename: string; readonly names: readonly string[] }
  /** Any of a zone's may have changed: it hung, and is watched anew. */
  | { readonly type: 'stale'; readonly zonename: string }
  /** A watched directory may have these new entries; none is watched itself. */
  | { readonly type: 'entries'; readonly name: string; readonly entries: readonly string[] }
  /** What keeps files from being watched; without an error, nothing does. Told once watches are in place, and when it changes. */
  | { readonly type: 'trouble'; readonly error: Error | undefined };

/** How the threads are doing, for `/status`. */
export interface FileThreadsStatus {
  /** Those that run, stuck or not. */
  readonly threads: number;
  /** Those that are stuck in a system call; the process cannot end in order while there is one. */
  readonly stuck: number;
  /** Zones whose file systems do not answer, and since when (ISO). */
  readonly hung: readonly { readonly zonename: string; readonly since: string }[];
  /** So many are stuck that all other zones wait as well. */
  readonly stalled: boolean;
}

/** Reads and watches files. */
export interface Files {
  /**
   * Reads files of one zone, in one trip and in order with its watches. What hangs fails, without those of other owners. One reading for each, in the same order; never
   * pending for ever.
   *
   * @throws FilesEndedError
   */
  read(zonename: string, files: readonly FileRequest[]): Promise<readonly TextReading[]>;
  /** Watches the files of a zone, these and no others. `globalZone` stands for what belongs to no other zone. */
  watch(zonename: string, paths: readonly WatchedPath[]): void;
  unwatch(zonename: string): void;
  /** The zone's files were replaced as a whole: watches what is there now. */
  rearm(zonename: string): void;
  /** Looks at all that is watched, and tells of what changed unseen. */
  mend(): void;
  /** Never completes. An error is a bug: then nothing is read or watched any more. */
  readonly events: Observable<FileEvent>;
  status(): FileThreadsStatus;
  /** Of hung zones, all paths are without a watch. */
  watchStatus(): Promise<WatchStatus>;
  /** Resolves when all threads have ended but those that are stuck. */
  end(): Promise<void>;
}

/** Files were asked for after the end. */
export class FilesEndedError extends Error {
  override readonly name = 'FilesEndedError';

  constructor(options?: { readonly cause: unknown }) {
    super('the host’s files are not read any more', options);
  }
}
