/**
 * Work on many things without holding up the event loop: requests and events get their turn every few milliseconds.
 */
import { setImmediate } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { reloads } from '../config.js';

/** Does it for each item, a bounded number at a time, giving way as often as is due. */
export async function eachInSlices<T>(
  items: Iterable<T>,
  atATime: number,
  act: (item: T) => Promise<unknown> | undefined,
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let sliceEndsAt = performance.now() + reloads.sliceMs;
  const work = async () => {
    for (let next = rest.next(); next.done !== true; next = rest.next()) {
      const pending = act(next.value);
      if (pending !== undefined) await pending;
      if (performance.now() > sliceEndsAt) {
        await setImmediate();
        sliceEndsAt = performance.now() + reloads.sliceMs;
      }
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
}
