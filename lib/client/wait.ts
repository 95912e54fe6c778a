/** Waiting for something to happen to a VM, without the race between looking and listening. */
import type { VmEvent } from '../vm/event.js';
import { deadline } from './deadline.js';
import { TimeoutError } from './errors.js';
import type { StreamEvent } from './events.js';
import { joinSignals } from './join-signals.js';
import { ChangeTally, matchesEvent, type EventMatch, type WantedChanges } from './matching.js';

export interface WaitOptions {
  /** Milliseconds for all of it, the connection and `change` included. Default: no limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /**
   * Causes the awaited change. It runs once the stream is live, so that its effect cannot be missed, however fast; if it
   * fails, the wait fails with its error. Its signal aborts when the wait is given up.
   */
  readonly change?: (signal: AbortSignal) => unknown;
}

/** Whose events are waited for: the client of a host, or of the fleet. */
export interface Waiter {
  readonly name: string;
  events(options: { readonly zonename?: string; readonly signal: AbortSignal }): AsyncIterable<StreamEvent>;
}

/** The first event that matches. @throws as `wait`. */
export function waitForEvent(waiter: Waiter, match: EventMatch, options: WaitOptions): Promise<VmEvent> {
  return wait(waiter, 'waitForEvent', match, options, () => true);
}

/** The event by which all changes have been seen in events that match. @throws as `wait`. */
export function waitForChanges(
  waiter: Waiter,
  match: EventMatch,
  changes: WantedChanges,
  options: WaitOptions,
): Promise<VmEvent> {
  const tally = new ChangeTally(changes);
  return wait(waiter, 'waitForChanges', match, options, (event) => {
    return event.type === 'modify' && tally.add(event.changes);
  });
}

/** @throws TimeoutError (code ETIMEOUT); the signal's reason; what `change` threw; what ended the stream. */
async function wait(
  waiter: Waiter,
  method: string,
  match: EventMatch,
  { timeoutMs, signal, change }: WaitOptions,
  isDone: (event: VmEvent) => boolean,
): Promise<VmEvent> {
  const { zonename } = match;
  const limit =
    timeoutMs === undefined
      ? undefined
      : deadline(timeoutMs, () => {
          return new TimeoutError(`${method}: ${waiter.name}: timeout exceeded (${timeoutMs} ms)`);
        });
  const giveUp = joinSignals(signal, limit?.signal);
  try {
    for await (const event of waiter.events({
      ...(zonename !== undefined && { zonename }),
      signal: giveUp.signal,
    })) {
      if (event.type === 'ready') await Promise.race([change?.(giveUp.signal), aborted(giveUp.signal)]);
      else if (matchesEvent(match, event) && isDone(event)) return event;
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
