/**
 * Work on many things without holding up the event loop: requests and events get their turn every few milliseconds.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { sliceMs } from './config.js';

/** Acts on each item, a bounded number at a time, yielding the event loop when a slice is over. */
export async function eachInSlices<T>(
  items: Iterable<T>,
  atATime: number,
  act: (item: T) => Promise<unknown> | undefined,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const giveWay = givingWay();
  const work = async (first: T) => {
    for (let next: IteratorResult<T> = { value: first }; next.done !== true; next = rest.next()) {
      const pending = act(next.value);
      if (pending !== undefined) await pending;
      const turn = giveWay();
      if (turn !== undefined) await turn;
    }
  };
  const workers: Promise<void>[] = [];
  while (workers.length < atATime) {
    const next = rest.next();
    if (next.done === true) break;
    workers.push(work(next.value));
  }
  await Promise.all(workers);
}

/** Runs all steps of a generator, yielding the event loop when a slice is over. */
export async function allSteps<T>(steps: Generator<undefined, T, undefined>): Promise<T> {
  const giveWay = givingWay();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    const turn = giveWay();
    if (turn !== undefined) await turn;
  }
}

/**
 * To be called after each piece of work: returns what to await when the slice is over, or `undefined`. Workers on the
 * same job share one slice; otherwise each would take its own in the same turn.
 */
function givingWay(): () => Promise<void> | undefined {
  let sliceEndsAt = performance.now() + sliceMs;
  let turn: Promise<void> | undefined;
  return () => {
    if (turn === undefined && performance.now() > sliceEndsAt) {
      turn = setImmediate().then(() => {
        turn = undefined;
        sliceEndsAt = performance.now() + sliceMs;
      });
    }
    return turn;
  };
}
