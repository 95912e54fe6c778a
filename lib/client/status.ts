/** `GET /status`. Properties that an old daemon does not send are optional. */
import type { Holders } from '../holders.js';

export interface Status {
  readonly pid: number;
  readonly state: string;
  readonly status: string;
  /** `12.345678901s (12.35s)`, as every duration here. */
  readonly uptime: string;
  /** Bytes, as `process.memoryUsage()`. */
  readonly memory: Readonly<Record<string, number>>;
  readonly numVms: number;
  /** Now, ISO. */
  readonly curDate: string;
  readonly queue: {
    readonly paused: boolean;
    readonly idle: boolean;
    readonly vasync_queue: { readonly npending: number; readonly nqueued: number };
  };
  /** None until the first rescan has ended. */
  readonly lastRefresh?: string | null;
  readonly refreshErrors: readonly RefreshError[];
  readonly eventsListeners: Readonly<
    Record<
      string,
      { readonly userAgent?: string; readonly createdDate?: string; readonly createdAgo: string }
    >
  >;
  readonly refreshLog?: readonly unknown[];
  readonly fswatcher?: {
    readonly running: boolean;
    readonly watching: readonly unknown[];
    readonly not_yet_watching: readonly unknown[];
    readonly pending_actions: Readonly<Record<string, unknown>>;
  };
  /** How often it reads everything afresh. */
  readonly rescanIntervalMs?: number;
  /** What a daemon that is still booting waits for. */
  readonly awaiting?: readonly string[];
  readonly sources?: readonly SourceStatus[];
  /** How many listeners there may be, and how many were refused. */
  readonly listeners?: { readonly max: number; readonly refused: number; readonly holders: Holders };
  /** By where it listens. */
  readonly connections?: Readonly<
    Record<
      string,
      {
        readonly open: number;
        readonly max: number;
        readonly ended: number;
        readonly holders: Holders;
      }
    >
  >;
  /** Whether its log can be written. */
  readonly log?: {
    readonly lostLines: number;
    readonly unwrittenBytes: number;
    readonly error: string | null;
  };
  readonly loadErrors?: readonly LoadError[];
  /** Events that never came and a rescan found missing, by source. */
  readonly missed?: Readonly<Record<string, number>>;
}

export interface SourceStatus {
  readonly name: string;
  /** starting, running, restarting or degraded. */
  readonly state: string;
  readonly since: string;
  readonly restarts: number;
  readonly events: number;
  readonly lastError?: { readonly message: string; readonly time: string } | null;
}

/** Why a rescan could not read something. */
export interface RefreshError {
  readonly err: unknown;
  /** The same text for all that has one cause. */
  readonly problem?: string;
  readonly time: string;
  readonly ago: string;
}

export interface LoadError {
  readonly zone: string;
  readonly input: string;
  readonly error: string;
  /** The same text for all that has one cause. */
  readonly problem?: string;
  readonly since: string;
  readonly nextRetry?: string;
}

/** Whether a source may be missing events at the moment. */
export function isUnhealthy(source: SourceStatus): boolean {
  return source.state !== 'running';
}

/** The text of an error in `refreshErrors`: a string, or (the original's) what a logger makes of an Error. */
export function errorText(err: unknown): string {
  if (typeof err === 'string') return err;
  const message = (err as { message?: unknown } | null)?.message;
  return typeof message === 'string' ? message : JSON.stringify(err);
}
