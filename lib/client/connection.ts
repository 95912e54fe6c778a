/**
 * One `/events` request: its lines until it ends; the socket is then closed. A missing `ready`, or silence from a daemon
 * that promised heartbeats, ends it with an error. It never ends without one.
 */
import { maxLineBytes, readyTimeoutMs } from '../config.js';
import { deadline } from './deadline.js';
import { asClientError, StreamEndedError, TimeoutError, VminfodError } from './errors.js';
import { parseLine, type Line } from './events.js';
import { joinSignals } from './join-signals.js';
import { linesOf } from './lines.js';
import type { Transport } from './transport.js';

export interface ConnectionOptions {
  /** Parameters of the request, e.g. `since`; an old daemon ignores those it does not know. */
  readonly query: URLSearchParams;
  /** How long a daemon that promised heartbeats may be silent. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/** The lines of one request. */
export async function* linesFrom(
  transport: Transport,
  { query, silenceMs, signal }: ConnectionOptions,
): AsyncGenerator<Line, never> {
  let limitMs = readyTimeoutMs;
  const patience = deadline(
    limitMs,
    () => new TimeoutError(`vminfod at ${transport.url} was silent for ${limitMs / 1000} s`),
  );
  const either = joinSignals(signal, patience.signal);
  let started = false;
  let heartbeats = false;
  try {
    const body = await transport.open(`/events?${query.toString()}`, either.signal);
    for await (const text of linesOf(body, maxLineBytes)) {
      const line = parseLine(text);
      // Time spent in the consumer does not count as silence of the daemon.
      patience.cancel();
      started = true;
      heartbeats ||= line?.type === 'heartbeat';
      if (line) yield line;
      if (heartbeats) patience.restart((limitMs = silenceMs));
    }
    throw new StreamEndedError();
  } catch (error) {
    either.signal.throwIfAborted();
    if (started && !(error instanceof VminfodError)) throw new StreamEndedError({ cause: error });
    throw asClientError(error, transport.url);
  } finally {
    either.release();
    patience.cancel();
  }
}
