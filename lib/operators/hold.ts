/**
 * Holds values back: until the first load is done, or for a delay of their own. One value is kept per key.
 */
import {
  Observable,
  Subscription,
  take,
  timer,
  type MonoTypeOperatorFunction,
  type OperatorFunction,
} from 'rxjs';

export interface HoldOptions<T> {
  /** When to release what was held; from then on, values pass at once. */
  readonly until: Observable<unknown>;
  /** Two values with the same key are the same: the later one replaces the earlier. */
  readonly key: (value: T) => string;
  /** If more than `max` are held, this one value replaces them all. */
  readonly overflow: { readonly max: number; readonly replaceWith: T };
}

/** Holds values back until told otherwise. Errors and completion of the source pass at once. */
export function hold<T>({ until, key, overflow }: HoldOptions<T>): MonoTypeOperatorFunction<T> {
  return (source) =>
    new Observable((subscriber) => {
      let held: Map<string, T> | undefined = new Map();
      const subscriptions = new Subscription();
      subscriptions.add(
        source.subscribe({
          next: (value) => {
            if (held === undefined) {
              subscriber.next(value);
              return;
            }
            held.delete(key(value));
            held.set(key(value), value);
            if (held.size > overflow.max) held = new Map([[key(overflow.replaceWith), overflow.replaceWith]]);
          },
          error: (error: unknown) => {
            subscriber.error(error);
          },
          complete: () => {
            subscriber.complete();
          },
        }),
      );
      subscriptions.add(
        until.pipe(take(1)).subscribe(() => {
          const values = held?.values() ?? [];
          held = undefined;
          for (const value of values) subscriber.next(value);
        }),
      );
      return subscriptions;
    });
}

/** A value, and how long it is to wait. */
export interface Delayed {
  readonly afterMs: number;
}

export interface DelayOptions<T> {
  /** Two values with the same key are merged. */
  readonly key: (value: T) => string;
  /** One value for what both ask for. */
  readonly merge: (waiting: T, next: T) => T;
  /** Told, whenever it may have changed, how many wait of those that this counts. */
  readonly counts: (value: T) => boolean;
  readonly onWaiting: (count: number) => void;
}

/** Delays each value by its `afterMs`, at most one per key; a value with no delay passes at once. */
export function delayEach<T extends Delayed>(options: DelayOptions<T>): OperatorFunction<T, T> {
  const { key, merge, counts, onWaiting } = options;
  return (source) =>
    new Observable((subscriber) => {
      const waiting = new Map<string, { readonly value: T; readonly timer: Subscription }>();
      let counted = 0;
      const count = (value: T, by: 1 | -1) => {
        if (counts(value)) onWaiting((counted += by));
      };
      const subscription = source.subscribe({
        next: (next) => {
          if (next.afterMs === 0) {
            subscriber.next(next);
            return;
          }
          const same = waiting.get(key(next));
          same?.timer.unsubscribe();
          const value = same === undefined ? next : merge(same.value, next);
          if (same !== undefined) count(same.value, -1);
          count(value, 1);
          waiting.set(key(next), {
            value,
            timer: timer(value.afterMs).subscribe(() => {
              waiting.delete(key(next));
              count(value, -1);
              subscriber.next(value);
            }),
          });
        },
        error: (error: unknown) => {
          subscriber.error(error);
        },
        complete: () => {
          subscriber.complete();
        },
      });
      return () => {
        subscription.unsubscribe();
        for (const each of waiting.values()) each.timer.unsubscribe();
      };
    });
}
