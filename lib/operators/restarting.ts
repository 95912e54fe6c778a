/**
 * Restarts a source that failed: soon if it had been running well, and after ever longer waits while it keeps failing.
 */
import { defer, retry, timer, using, type MonoTypeOperatorFunction } from 'rxjs';
import { backoff } from './backoff.js';

export interface RestartOptions {
  /** The first wait; each failure in a row doubles it. */
  readonly minMs: number;
  /** No wait is longer, whatever the number of failures. */
  readonly maxMs: number;
  /** A source that ran this long was healthy: its next failure counts as the first. */
  readonly healthyAfterMs: number;
  /** Called on every failure, with the wait before the next start. */
  readonly onFailure?: (error: unknown, waitMs: number) => void;
}

/**
 * Subscribes again after every error, for as long as somebody is subscribed: the number of restarts is unbounded, their
 * rate is not. Each wait is a random part (half to all) of the backoff, so that sources do not restart in step.
 */
export function restarting<T>({
  minMs,
  maxMs,
  healthyAfterMs,
  onFailure,
}: RestartOptions): MonoTypeOperatorFunction<T> {
  return (source) =>
    defer(() => {
      let failures = 0;
      let isHealthy = false;
      // A timer rather than the wall clock, which may be set meanwhile.
      const untilHealthy = () => {
        isHealthy = false;
        return timer(healthyAfterMs).subscribe(() => {
          isHealthy = true;
        });
      };
      return using(untilHealthy, () => source).pipe(
        retry({
          delay: (error: unknown) => {
            failures = isHealthy ? 1 : failures + 1;
            const waitMs = backoff(failures, minMs, maxMs);
            onFailure?.(error, waitMs);
            return timer(waitMs);
          },
        }),
      );
    });
}
