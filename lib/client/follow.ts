/**
 * The event stream over as many connections as it takes: reconnects with exponential backoff and full jitter, and
 * resumes or mends, so that a consumer sees each change once and in order.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  heartbeatSeconds,
  readyTimeoutMs,
  reconnectMaxMs,
  reconnectMinMs,
  stableConnectionMs,
} from '../config.js';
import { linesFrom } from './connection.js';
import { BadAnswerError, BadRequestError, NotFoundError, NotReadyError } from './errors.js';
import type { StreamEvent } from './events.js';
import { Mirror } from './mirror.js';
import type { Transport } from './transport.js';

export interface FollowOptions {
  /** Only this VM. */
  readonly zonename: string | undefined;
  /** Filters for the daemon. */
  readonly query: Readonly<Record<string, string>>;
  readonly reconnect: boolean;
  readonly onDisconnect?: ((error: Error) => void) | undefined;
  readonly onConnect?: ((connection: { readonly resumed: boolean }) => void) | undefined;
  readonly signal: AbortSignal;
}

export async function* follow(
  transport: Transport,
  { zonename, query, reconnect, onDisconnect, onConnect, signal }: FollowOptions,
): AsyncGenerator<StreamEvent, never> {
  const mirror = new Mirror(zonename);
  let failures = 0;
  let lastSignOfLife = performance.now();
  for (;;) {
    const openedAt = performance.now();
    try {
      const request = {
        ...query,
        ...(zonename !== undefined && { zonename }),
        vms: 'array',
        heartbeat: String(heartbeatSeconds),
        ...mirror.place,
      };
      for await (const line of linesFrom(transport, new URLSearchParams(request), signal)) {
        if (line.type === 'ready' && !line.instance && Object.keys(query).length > 0) {
          throw new BadRequestError(`vminfod at ${transport.url} cannot filter events`, 'BadRequest');
        }
        if (line.type === 'ready') onConnect?.({ resumed: line.resumed === true });
        yield* mirror.apply(line);
        for (const zonename of mirror.missing) {
          if (await isGone(transport, zonename, query, signal)) yield* mirror.forget(zonename);
        }
      }
    } catch (error) {
      if (!reconnect || signal.aborted || isFinal(error)) throw error;
      const now = performance.now();
      // A daemon that is booting is waited for; one that was never there is given up after a while.
      if (mirror.ready || error instanceof NotReadyError) lastSignOfLife = now;
      else if (now - lastSignOfLife > readyTimeoutMs) throw error;
      failures = now - openedAt > stableConnectionMs ? 0 : failures + 1;
      onDisconnect?.(error as Error);
    }
    await sleep(reconnectDelayMs(failures), undefined, { signal }).catch(() => {
      throw signal.reason;
    });
  }
}

/**
 * Whether a VM that a snapshot lacks is gone from the stream. It is not while its zone fails to load (503), and not
 * when it is there again (200: its `create` follows), unless it is a filter that it no longer matches.
 */
async function isGone(
  transport: Transport,
  zonename: string,
  query: FollowOptions['query'],
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await transport.getJson(`/vms/${encodeURIComponent(zonename)}`, signal);
    return Object.keys(query).length > 0;
  } catch (error) {
    if (error instanceof NotFoundError) return true;
    if (error instanceof NotReadyError) return false;
    throw error;
  }
}

/** What asking again cannot mend. */
function isFinal(error: unknown): boolean {
  return (
    error instanceof BadRequestError || error instanceof BadAnswerError || error instanceof NotFoundError
  );
}

/** "Full jitter": anywhere up to a ceiling that doubles, so that many clients spread out. */
function reconnectDelayMs(failures: number): number {
  return Math.random() * Math.min(reconnectMaxMs, reconnectMinMs * 2 ** failures);
}
