/**
 * A sysevent(8) subscription that heals itself: a child that dies, hangs before `ready`, or prints garbage is replaced.
 */
import { Observable, TimeoutError, catchError, defer, filter, map, tap, throwError, timeout } from 'rxjs';
import { backoffLimits, sysevents } from '../config.js';
import type { Host } from '../host/host.js';
import { parseSysevent, type Sysevent } from '../host/sysevent.js';
import { fromLines, SourceError } from './from-lines.js';
import type { SourceHealth } from './health.js';
import { restarting } from '../operators/restarting.js';

export interface SyseventOptions {
  readonly host: Host;
  /** Arguments of sysevent(8): which channel or class. */
  readonly args: readonly string[];
  readonly health: SourceHealth;
  /** From the child's start to its `ready` line. */
  readonly readyTimeoutMs?: number;
}

/** What a subscription emits: it is live (again), or something happened. */
export type LiveSysevent = Exclude<Sysevent, { type: 'ignored' }>;

/**
 * Sysevents, beginning with `ready`, and with another `ready` after each replacement of the child: events in between are
 * lost. Never completes and never fails; faults show in `health`.
 */
export function fromSysevents({
  host,
  args,
  health,
  readyTimeoutMs = sysevents.readyTimeoutMs,
}: SyseventOptions): Observable<LiveSysevent> {
  const command = host.path('/usr/sbin/sysevent');
  return defer(() =>
    fromLines({ command, args, maxLineBytes: sysevents.maxLineBytes, killAfterMs: sysevents.killAfterMs }),
  ).pipe(
    map((line) => parseSysevent(line)),
    timeout({ first: readyTimeoutMs }),
    catchError((error: unknown) =>
      throwError(() =>
        error instanceof TimeoutError
          ? new SourceError(command, `was not ready after ${readyTimeoutMs / 1000} s`, { cause: error })
          : error,
      ),
    ),
    tap((event) => {
      if (event.type === 'ready') health.running();
      else health.event();
    }),
    restarting({
      ...backoffLimits,
      onFailure: (error) => {
        health.restarting(error instanceof Error ? error : new Error(String(error)));
      },
    }),
    filter((event) => event.type !== 'ignored'),
  );
}
