/**
 * The messages between the main thread and a file thread. Tasks travel as JSON, which for the thousands of a rescan takes a
 * quarter of the time of a structured clone; news, which may hold whole files, is cloned.
 */
import type { FileVersion } from './file-version.js';

/** A file to be read. */
export interface FileQuery {
  readonly path: string;
  /** A directory that the file must be in: no symbolic link is followed out of it. */
  readonly within?: string;
  /** That directory must exist: when it does not, a missing file is a failure. */
  readonly withinExists?: boolean;
  /** It is a zone XML, answered as the JSON of its ZoneConfig: parsing is most of the work, so the thread does it. */
  readonly isZoneXml?: boolean;
}

/** A file to be read, as its reader asks for it. */
export interface FileRequest extends FileQuery {
  /** The reader's name for it. */
  readonly name: string;
  /** Whose file system it lies in, if not its own zone's: what hangs with it. */
  readonly owner?: string;
}

/** What is in a file. */
export interface FileText {
  readonly type: 'read';
  readonly text: string;
  /** Milliseconds since the epoch, with a fraction; of exactly the file that was read. */
  readonly mtimeMs: number;
  readonly version: FileVersion;
}

/** What was found. */
export type FileAnswer =
  | FileText
  | { readonly type: 'missing' }
  | { readonly type: 'failed'; readonly problem: string; readonly cause?: Cause };

/** What is kept of a system error when it is copied. */
export interface Cause {
  readonly message: string;
  readonly code: string | undefined;
}

/** A path to be watched, which need not exist. */
export interface WatchedPath {
  /** Its name in events. */
  readonly name: string;
  readonly path: string;
  /** The directories above it are watched too, up to this one. */
  readonly top: string;
  /** Whose file system it lies in, if not its own zone's: what hangs with it. */
  readonly owner?: string;
  /** Report new entries in it, and not changes. */
  readonly isDirectory?: boolean;
  /** How it is read: then what is in it may come with the report of its change. */
  readonly reading?: Pick<FileQuery, 'within' | 'isZoneXml'>;
}

/** The versions of a zone's files when last read, by name; `null` for one that must be read again. */
export type Versions = Readonly<Record<string, NonNullable<FileVersion> | null>>;

/** The versions of a zone's files that are known, by name. */
export type KnownVersions = Readonly<Record<string, NonNullable<FileVersion>>>;

/** Main thread → file thread: those of one turn together. Tasks are done in order. */
export type FileTask =
  | {
      readonly type: 'read';
      readonly id: number;
      /** Whose file system all of these lie in. */
      readonly owner: string;
      readonly files: readonly FileQuery[];
    }
  /** Parse the zone XMLs of this directory until one is asked for: there is nothing else to do yet. */
  | { readonly type: 'parse-ahead'; readonly directory: string }
  /** Whether these files that are watched for a zone, by name, still are of these versions. */
  | {
      readonly type: 'compare';
      readonly id: number;
      readonly zonename: string;
      readonly versions: KnownVersions;
    }
  | {
      readonly type: 'watch';
      readonly zonename: string;
      readonly paths: readonly WatchedPath[];
      /** They were watched before: those that have changed since are reported. */
      readonly since?: Versions;
    }
  | { readonly type: 'unwatch'; readonly zonename: string }
  /** Rewatch what is there now: a rollback loses watches on files that seem the same. */
  | { readonly type: 'rearm'; readonly zonename: string }
  /** Look at all directories that are watched. */
  | { readonly type: 'mend' }
  | { readonly type: 'list-watches'; readonly id: number };

/** File thread → main thread: what tasks that came together led to comes together, too. */
export type FileNews =
  /** One for each file. */
  | { readonly type: 'answers'; readonly id: number; readonly answers: readonly FileAnswer[] }
  | { readonly type: 'compared'; readonly id: number; readonly areUnchanged: boolean }
  | ({ readonly type: 'watches'; readonly id: number } & WatchStatus)
  /** These may have changed. A read from here on misses nothing, and may have been made: then it is here, in the same order. */
  | {
      readonly type: 'changed';
      readonly zonename: string;
      readonly names: readonly string[];
      readonly texts?: readonly PlacedText[] | undefined;
    }
  /** Entries of a watched directory that may be new; none of them is watched. */
  | { readonly type: 'entries'; readonly name: string; readonly entries: readonly string[] }
  /** What keeps it from watching, so that it polls; nothing when it watches all. Said after the first watch, and when it changes. */
  | { readonly type: 'trouble'; readonly problem: string | undefined };

/** What is in a file, and where that is. */
export interface PlacedText extends FileText {
  readonly path: string;
}

/** The number of paths with a watch, and without one (missing, or the watch was refused). */
export interface WatchStatus {
  readonly watching: readonly string[];
  readonly notWatching: readonly string[];
}

/**
 * What watches files: fs.watch, or in a test a module whose `createWatch(data)` returns something like it. The thread
 * loads the module, so it is passed by name; `data` is copied to the thread.
 */
export type WatchSource =
  { readonly type: 'native' } | { readonly type: 'module'; readonly url: string; readonly data?: unknown };
