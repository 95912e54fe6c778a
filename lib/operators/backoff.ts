/** How long to wait before another try. One rule for all: children, readings and rescans. Pure, but for chance. */

/** The wait after so many failures in a row (1, 2, …): half to all of `minMs` doubled each time, at most `maxMs`. */
export function backoff(failures: number, minMs: number, maxMs: number): number {
  const fullMs = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
  return fullMs / 2 + (Math.random() * fullMs) / 2;
}
