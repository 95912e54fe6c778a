/**
 * The host's files as a value: read and watched by other threads, so that a file system that hangs never blocks the main
 * thread.
 */
import type { Observable } from 'rxjs';
import type { FileInput } from '../vm/inputs.js';
import type { FileRequest, KnownVersions, WatchStatus, WatchedPath } from './file-messages.js';
import type { FileVersion } from './file-version.js';

/** A file that cannot be read, or whose content is not what it should be. */
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
export type TextReading = Exclude<FileReading<FileInput<string> | undefined>, { readonly type: 'unchanged' }>;

/** What is reported about watched files. */
export type FileEvent =
  /** These, by name, may have changed; a reading from here on misses nothing. It may have been made: one for each name. */
  | {
      readonly type: 'changed';
      readonly zonename: string;
      readonly names: readonly string[];
      readonly readings?: readonly TextReading[] | undefined;
    }
  /** Any file of a zone may have changed: the zone hung, and is watched again. */
  | { readonly type: 'stale'; readonly zonename: string }
  /** A watched directory may have these new entries; none is watched itself. */
  | { readonly type: 'entries'; readonly name: string; readonly entries: readonly string[] }
  /** What keeps files from being watched; without an error, nothing does. Told once watches are in place, and when it changes. */
  | { readonly type: 'trouble'; readonly error: Error | undefined };

/** The state of the threads, for `/status`. */
export interface FileThreadsStatus {
  /** Running threads, stuck or not. */
  readonly threads: number;
  /** Threads that are stuck in a system call; while there is one, the process cannot exit normally. */
  readonly stuck: number;
  /** Zones whose file systems do not answer, and since when (ISO). */
  readonly hung: readonly { readonly zonename: string; readonly since: string }[];
  /** So many threads are stuck that all other zones wait as well. */
  readonly stalled: boolean;
}

/** Reads and watches files. */
export interface Files {
  /**
   * Reads files of one zone in one round trip, in order with its watches. Files that hang fail; those of other owners do
   * not. Returns one reading per file, in the same order; always settles.
   *
   * @throws FilesEndedError
   */
  read(zonename: string, files: readonly FileRequest[]): Promise<readonly TextReading[]>;
  /** Parses the zone XMLs of a directory until they are asked for. For a start, while their zones are not known yet. */
  parseAhead(directory: string): void;
  /**
   * Whether files of a zone, by the names they are watched by, still are of these versions. Costs a fraction of reading
   * them. False whenever that is not certain: then they are to be read.
   *
   * @throws FilesEndedError
   */
  areUnchanged(zonename: string, versions: KnownVersions): Promise<boolean>;
  /**
   * Watches these files of a zone and no others. `globalZone` stands for what belongs to no other zone. The paths are made
   * again when they are needed again: of thousands of zones they would take megabytes.
   */
  watch(zonename: string, paths: () => readonly WatchedPath[]): void;
  unwatch(zonename: string): void;
  /** All of the zone's files were replaced: watches those that are there now. */
  rearm(zonename: string): void;
  /** Checks all watched directories, and reports changes that went unnoticed. Files are checked when they are read again. */
  mend(): void;
  /** Never completes. An error is a bug; after it nothing is read or watched any more. */
  readonly events: Observable<FileEvent>;
  status(): FileThreadsStatus;
  /** All paths of hung zones count as unwatched. */
  watchStatus(): Promise<WatchStatus>;
  /** Resolves when all threads except the stuck ones have ended. */
  end(): Promise<void>;
}

/** Files were asked for after the end. */
export class FilesEndedError extends Error {
  override readonly name = 'FilesEndedError';

  constructor(options?: { readonly cause: unknown }) {
    super('the host’s files are not read any more', options);
  }
}
