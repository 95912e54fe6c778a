/**
 * Runs a request at once when idle. When busy, requests collect and repeats merge, and the next run takes them all. A key
 * is never in two runs, so a request that arrives during a run of its key is run after it.
 */
import {
  asapScheduler,
  defer,
  Observable,
  Subscription,
  timer,
  type ObservableInput,
  type OperatorFunction,
} from 'rxjs';

export interface CoalesceOptions<T, R> {
  /** What makes two requests the same. */
  readonly key: (request: T) => string;
  /** One request that asks for what both ask for. */
  readonly merge: (waiting: T, next: T) => T;
  /** Serves a batch. It must not fail: an error ends the whole stream. Unsubscribed when the stream is. */
  readonly run: (batch: readonly T[]) => ObservableInput<R>;
  /** The keys of the requests that a result completes: these need not wait for the rest of their run. */
  readonly settles: (result: R) => readonly string[];
  /** True for a request that must run alone, because it could make others fail with it. */
  readonly alone: (request: T) => boolean;
  /** Runs at a time. One is reserved for requests that share a run. */
  readonly maxRuns: number;
  /**
   * A run older than this no longer makes others wait, so one that hangs holds up only its own requests. 0: none ever
   * makes others wait.
   */
  readonly slowAfterMs: number;
  /** Requests in one run. */
  readonly maxBatch: number;
  /** Requests collect this long even when idle, where nobody waits for the result. Default: only until the current turn ends. */
  readonly delayMs?: number;
  /** Called whenever the number of requests running or waiting changes. */
  readonly onQueue: (queue: QueueLength) => void;
}

export interface QueueLength {
  readonly pending: number;
  readonly queued: number;
}

/**
 * Runs requests in batches. Completes when the source has completed and the last run has ended; an error in the source or
 * a run ends it at once.
 */
export function coalesceWhileBusy<T, R>(options: CoalesceOptions<T, R>): OperatorFunction<T, R> {
  return (source) =>
    new Observable<R>((subscriber) => {
      const waiting = new Map<string, T>();
      const running = new Set<string>();
      const subscriptions = new Subscription();
      const { maxRuns, slowAfterMs, maxBatch, alone } = options;
      let sourceEnded = false;
      let runs = 0;
      let freshRuns = 0; // shared runs that are not slow yet
      let scheduled = false;

      const report = () => {
        options.onQueue({ pending: running.size, queued: waiting.size });
      };

      /** After the current turn, so that requests that arrive together run together. */
      const schedule = () => {
        if (scheduled || waiting.size === 0) return;
        scheduled = true;
        const { delayMs } = options;
        const turnEnds = delayMs === undefined ? timer(0, asapScheduler) : timer(delayMs);
        subscriptions.add(
          turnEnds.subscribe(() => {
            scheduled = false;
            startRuns();
          }),
        );
      };

      const startRuns = () => {
        if (runs < maxRuns && freshRuns === 0) {
          const batch = ready((request) => !alone(request)).slice(0, maxBatch);
          if (batch.length > 0) startRun(batch, true);
        }
        if (runs < maxRuns - 1) {
          for (const entry of ready(alone).slice(0, maxRuns - 1 - runs)) startRun([entry], false);
        }
        report();
      };

      const ready = (accept: (request: T) => boolean): [string, T][] =>
        [...waiting].filter(([key, request]) => !running.has(key) && accept(request));

      const startRun = (batch: readonly (readonly [string, T])[], shared: boolean) => {
        const lifetime = new Subscription();
        let fresh = shared && slowAfterMs > 0;
        const stale = () => {
          if (fresh) freshRuns--;
          fresh = false;
        };
        const own = new Set(batch.map(([key]) => key));
        for (const key of own) {
          waiting.delete(key);
          running.add(key);
        }
        runs++;
        if (fresh) {
          freshRuns++;
          lifetime.add(
            timer(slowAfterMs).subscribe(() => {
              stale();
              schedule();
            }),
          );
        }
        subscriptions.add(lifetime);
        lifetime.add(
          defer(() => options.run(batch.map(([, request]) => request))).subscribe({
            next: (result) => {
              const settled = options.settles(result).filter((key) => own.delete(key));
              for (const key of settled) running.delete(key);
              subscriber.next(result);
              if (settled.length > 0) {
                report();
                schedule();
              }
            },
            error: (error: unknown) => {
              subscriber.error(error);
            },
            complete: () => {
              runs--;
              stale();
              for (const key of own) running.delete(key);
              subscriptions.remove(lifetime);
              lifetime.unsubscribe();
              report();
              schedule();
              completeWhenDone();
            },
          }),
        );
      };

      const completeWhenDone = () => {
        if (sourceEnded && runs === 0 && waiting.size === 0) subscriber.complete();
      };

      subscriber.add(subscriptions);
      subscriptions.add(
        source.subscribe({
          next: (request) => {
            const key = options.key(request);
            const same = waiting.get(key);
            waiting.set(key, same === undefined ? request : options.merge(same, request));
            report();
            schedule();
          },
          error: (error: unknown) => {
            subscriber.error(error);
          },
          complete: () => {
            sourceEnded = true;
            completeWhenDone();
          },
        }),
      );
    });
}
