/** Waiting for something to happen to a VM, without the race between looking and listening. */
import type { VmEvent } from '../vm/event.js';
import { TimeoutError } from './errors.js';
import type { StreamEvent } from './events.js';

export interface WaitOptions {
  /** Milliseconds for all of it, the connection and `change` included. Default: no limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /**
   * What makes happen what is waited for. It runs once the stream is live, so that its effect cannot be missed
   * however fast; when it fails, the wait fails with its error. Its signal aborts when the wait is given up.
   */
  readonly change?: (signal: AbortSignal) => unknown;
}

export interface Wait extends WaitOptions {
  /** Opens the stream to wait on. */
  readonly events: (signal: AbortSignal) => AsyncIterable<StreamEvent>;
  readonly isWhatWeWaitFor: (event: VmEvent) => boolean;
  /** Who waits for what, for the message of a timeout. */
  readonly what: string;
}

/** @throws TimeoutError (code ETIMEOUT); the signal's reason; what `change` threw; what ended the stream. */
export async function wait(options: Wait): Promise<VmEvent> {
  const { events, isWhatWeWaitFor, what, timeoutMs, signal, change } = options;
  const limit = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const left = new AbortController();
  const giveUp = AbortSignal.any([left.signal, ...[signal, limit].filter((each) => each !== undefined)]);
  try {
    for await (const event of events(giveUp)) {
      if (event.type === 'ready') await Promise.race([change?.(giveUp), aborted(giveUp)]);
      else if (isWhatWeWaitFor(event)) return event;
    }
    throw giveUp.reason; // An event stream only ends when it is aborted.
  } catch (error) {
    if (!limit?.aborted || signal?.aborted) throw error;
    throw new TimeoutError(`${what}: timeout exceeded (${timeoutMs} ms)`, { cause: error });
  } finally {
    left.abort();
  }
}

/** Rejects with the signal's reason when it aborts. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
