/**
 * The event stream across any number of connections: reconnects with exponential backoff and full jitter, and resumes or
 * fills the gap, so that a consumer sees each change once and in order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { silentPeriods, stableConnectionMs } from '../config.js';
import { reconnectDelayMs } from './backoff.js';
import { linesFrom } from './connection.js';
import { BadAnswerError, BadRequestError, NotFoundError, NotReadyError } from './errors.js';
import type { StreamEvent } from './events.js';
import { Mirror } from './mirror.js';
import { pastEvents } from './past.js';
import type { Transport } from './transport.js';

export interface FollowOptions {
  /** Only this VM. */
  readonly zonename: string | undefined;
  /** Filters for the daemon. */
  readonly query: Readonly<Record<string, string>>;
  readonly reconnect: boolean;
  readonly heartbeatSeconds: number;
  /** How long to wait for a daemon that is not there before the first `ready`. */
  readonly patienceMs: number;
  /** How long a request beside the stream may take. */
  readonly timeoutMs: number;
  /** Whether every line says of which host it is. */
  readonly host: boolean;
  /** Where to begin: `<instance>:<seq>`. */
  readonly since?: string | undefined;
  readonly onDisconnect?: ((error: Error) => void) | undefined;
  readonly onReconnect?: ((missed: number) => void) | undefined;
  readonly signal: AbortSignal;
}

export async function* follow(
  transport: Transport,
  options: FollowOptions,
): AsyncGenerator<StreamEvent, never> {
  const { zonename, query, reconnect, heartbeatSeconds, patienceMs, host, since, signal } = options;
  const mirror = new Mirror(zonename);
  const silenceMs = silentPeriods * heartbeatSeconds * 1000;
  let failures = 0;
  /** How many events were missed since a connection was lost. */
  let missed: number | undefined;
  let lastSignOfLife = performance.now();
  for (;;) {
    const openedAt = performance.now();
    try {
      const connection = (place: Readonly<Record<string, string>>) => {
        const request = {
          ...query,
          ...(zonename !== undefined && { zonename }),
          heartbeat: String(heartbeatSeconds),
          ...(host && { host: 'true' }),
          ...place,
        };
        return { query: new URLSearchParams(request), silenceMs, signal };
      };
      for await (const line of linesFrom(transport, connection({ vms: 'array', ...mirror.place }))) {
        if (
          line.type === 'ready' &&
          !line.instance &&
          (since !== undefined || Object.keys(query).length > 0)
        ) {
          const what = since === undefined ? 'cannot filter events' : 'does not keep past events';
          throw new BadRequestError(`vminfod at ${transport.url} ${what}`, 'BadRequest');
        }
        if (line.type === 'ready' && since !== undefined && !mirror.ready) {
          yield* pastEvents(transport, connection({ vms: 'none', since }), line.seq ?? 0);
        }
        const events = mirror.apply(line);
        if (missed !== undefined) missed += events.filter(({ type }) => type !== 'ready').length;
        yield* events;
        for (const zonename of mirror.missing) {
          if (await isGone(transport, zonename, options)) yield* mirror.forget(zonename);
        }
        // The first heartbeat arrives after all missed events; an old daemon has none, and sends them at once.
        if (missed !== undefined && (line.type === 'heartbeat' || !mirror.place.since)) {
          options.onReconnect?.(missed);
          missed = undefined;
        }
      }
    } catch (error) {
      if (!reconnect || signal.aborted || isFinal(error)) throw error;
      const now = performance.now();
      // We wait for a daemon that is booting, but give up on one that was never there after a while.
      if (mirror.ready || error instanceof NotReadyError) lastSignOfLife = now;
      else if (now - lastSignOfLife > patienceMs) throw error;
      failures = now - openedAt > stableConnectionMs ? 0 : failures + 1;
      if (missed === undefined) options.onDisconnect?.(error as Error);
      missed ??= 0;
    }
    await sleep(reconnectDelayMs(failures), undefined, { signal }).catch(() => {
      throw signal.reason;
    });
  }
}

/**
 * Whether a VM that a snapshot lacks is gone from the stream. It is not while its zone fails to load (503), nor when it
 * exists again (200: its `create` follows), unless it no longer matches the filter.
 */
async function isGone(
  transport: Transport,
  zonename: string,
  { query, timeoutMs, signal }: FollowOptions,
): Promise<boolean> {
  try {
    await transport.getJson(`/vms/${encodeURIComponent(zonename)}`, timeoutMs, signal);
    return Object.keys(query).length > 0;
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    if (error instanceof NotReadyError) return false;
    throw error;
  }
}

/** Errors that a retry cannot fix. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof BadRequestError || error instanceof BadAnswerError || error instanceof NotFoundError
  );
}
