/**
 * One AbortSignal of several, for as long as it is needed. Unlike `AbortSignal.any()`, which in Node 20 leaves an entry
 * in each of its sources for ever, it costs a long-lived signal nothing once it is released.
 */
import { setMaxListeners } from 'node:events';

/** One of several signals. */
export interface JoinedSignal {
  readonly signal: AbortSignal;
  /** Detaches it from the sources: they no longer abort it. */
  release(): void;
}

export function joinSignals(...sources: readonly (AbortSignal | undefined)[]): JoinedSignal {
  const joined = new AbortController();
  const present = sources.filter((source) => source !== undefined);
  const release = () => {
    for (const source of present) source.removeEventListener('abort', onAbort);
  };
  function onAbort(this: AbortSignal) {
    release();
    joined.abort(this.reason);
  }
  // As many listeners as there are requests in progress; Node would report more than ten as a leak.
  if (present.length > 0) setMaxListeners(0, ...present);
  for (const source of present) source.addEventListener('abort', onAbort);
  const aborted = present.find((source) => source.aborted);
  if (aborted) onAbort.call(aborted);
  return { signal: joined.signal, release };
}
