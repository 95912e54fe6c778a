/** Waiting for something to happen to a VM, without the race between looking and listening. */
import type { VmEvent } from '../vm/event.js';
import { deadline } from './deadline.js';
import { TimeoutError } from './errors.js';
import type { StreamEvent } from './events.js';
import { joinSignals } from './join-signals.js';

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
  const limit =
    timeoutMs === undefined
      ? undefined
      : deadline(timeoutMs, () => new TimeoutError(`${what}: timeout exceeded (${timeoutMs} ms)`));
  const giveUp = joinSignals(signal, limit?.signal);
  try {
    for await (const event of events(giveUp.signal)) {
      if (event.type === 'ready') await Promise.race([change?.(giveUp.signal), aborted(giveUp.signal)]);
      else if (isWhatWeWaitFor(event)) return event;
    }
    throw giveUp.signal.reason; // An event stream only ends when it is aborted.
  } finally {
    giveUp.release();
    limit?.cancel();
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
