/**
 * How long to wait before the next attempt: one rule for child processes, readings and rescans. Pure except for its
 * randomness.
 */

/**
 * The wait after this many failures in a row (1, 2, …). `minMs` doubles with each, up to `maxMs`; the wait is a random
 * half to all of that.
 */
export function backoff(failures: number, minMs: number, maxMs: number): number {
  const fullMs = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30));
  return fullMs / 2 + (Math.random() * fullMs) / 2;
}
