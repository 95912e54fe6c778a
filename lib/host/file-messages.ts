/** What the main thread and a file thread say to each other. All of it can be copied from thread to thread. */
import type { FileVersion } from './file-version.js';

/** A file to be read. */
export interface FileRequest {
  /** What its reader calls it. */
  readonly name: string;
  readonly path: string;
  /** The version that is known already, and need not be read. */
  readonly known?: FileVersion;
  /** A directory that the file must be in: no symbolic link is followed out of it. */
  readonly within?: string;
  /** It is a zone XML, and comes as the JSON of its ZoneConfig: parsing it is most of the work, and the thread's. */
  readonly isZoneXml?: boolean;
  /** Whose file system it lies in, if not its own zone's: what hangs with it. */
  readonly owner?: string;
}

/** What was found. */
export type FileAnswer =
  | {
      readonly type: 'read';
      readonly text: string;
      /** Milliseconds since the epoch, with a fraction; of the very file that was read. */
      readonly mtimeMs: number;
      readonly version: FileVersion;
    }
  | { readonly type: 'missing' }
  /** It still is the version that is known. */
  | { readonly type: 'unchanged' }
  | { readonly type: 'failed'; readonly problem: string; readonly cause?: Cause };

/** What a copy of a system error keeps of it. */
export interface Cause {
  readonly message: string;
  readonly code: string | undefined;
}

/** A path to be watched, which need not exist. */
export interface WatchedPath {
  /** What events call it. */
  readonly name: string;
  readonly path: string;
  /** The directories above it are watched too, up to this one. */
  readonly top: string;
  /** Whose file system it lies in, if not its own zone's: what hangs with it. */
  readonly owner?: string;
  /** Tell of new entries of it, and not of changes. */
  readonly isDirectory?: boolean;
}

/** What a zone's files were when last read, by name. */
export type Versions = Readonly<Record<string, FileVersion>>;

/** Main thread → file thread. They are done in order. */
export type FileTask =
  | {
      readonly type: 'read';
      readonly id: number;
      /** Whose file system all of these lie in. */
      readonly owner: string;
      readonly files: readonly FileRequest[];
    }
  | {
      readonly type: 'watch';
      readonly zonename: string;
      readonly paths: readonly WatchedPath[];
      /** They were watched before: what is no longer so is told. */
      readonly since?: Versions;
    }
  | { readonly type: 'unwatch'; readonly zonename: string }
  /** Watch anew what is there now: a rollback loses watches on files that seem the same. */
  | { readonly type: 'rearm'; readonly zonename: string }
  /** Look at everything that is watched. */
  | { readonly type: 'mend' }
  | { readonly type: 'list-watches'; readonly id: number };

/** File thread → main thread. */
export type FileNews =
  | { readonly type: 'answers'; readonly id: number; readonly answers: readonly FileAnswer[] }
  | ({ readonly type: 'watches'; readonly id: number } & WatchStatus)
  /** These may have changed. A read from here on misses nothing. */
  | { readonly type: 'changed'; readonly zonename: string; readonly names: readonly string[] }
  /** Entries of a watched directory that may be new; none of them is watched. */
  | { readonly type: 'entries'; readonly name: string; readonly entries: readonly string[] }
  /** What keeps it from watching, so that it polls; nothing when it watches all. Said after the first watch, and when it changes. */
  | { readonly type: 'trouble'; readonly problem: string | undefined };

/** Paths with and without a watch: not there, or refused. */
export interface WatchStatus {
  readonly watching: readonly string[];
  readonly notWatching: readonly string[];
}

/**
 * What watches files: fs.watch, or for a test a module whose `createWatch(data)` returns something like it. A thread loads it,
 * so it is named and not given; `data` is copied to the thread.
 */
export type WatchSource =
  { readonly type: 'native' } | { readonly type: 'module'; readonly url: string; readonly data?: unknown };
