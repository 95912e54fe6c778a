/** Several async iterables as one. */
import { joinSignals } from '../client/join-signals.js';

/**
 * Yields the values of all sources as they come; each source has at most one value waiting. When one of them ends or
 * fails, or the loop is left, the others are ended by the signal that they were opened with.
 *
 * @throws What a source throws.
 */
export async function* mergeStreams<T>(
  given: AbortSignal,
  open: (signal: AbortSignal) => readonly AsyncIterable<T>[],
): AsyncGenerator<T, void> {
  const left = new AbortController();
  const joined = joinSignals(given, left.signal);
  const arrived: { readonly iterator: AsyncIterator<T>; readonly take: () => IteratorResult<T> }[] = [];
  let wake: () => void = () => undefined;
  // Not Promise.race(): for each value of a fast source it would leave a callback with the promise of a slow one.
  const pull = (iterator: AsyncIterator<T>) => {
    const arrive = (take: () => IteratorResult<T>) => {
      arrived.push({ iterator, take });
      wake();
    };
    iterator.next().then(
      (result) => {
        arrive(() => result);
      },
      (error: unknown) => {
        arrive(() => {
          throw error;
        });
      },
    );
  };
  try {
    for (const source of open(joined.signal)) pull(source[Symbol.asyncIterator]());
    for (;;) {
      const next = arrived.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      const result = next.take();
      if (result.done) return;
      yield result.value;
      pull(next.iterator);
    }
  } finally {
    left.abort();
    joined.release();
  }
}
