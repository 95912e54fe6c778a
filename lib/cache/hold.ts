/**
 * Sources are live before the first load; what they say during it is kept, each thing once, and said right after it.
 */
import { Observable, Subscription, take, type MonoTypeOperatorFunction } from 'rxjs';

export interface HoldOptions<T> {
  /** When to say what was held, and from then on everything at once. */
  readonly until: Observable<unknown>;
  /** What makes two the same: the later one counts, in its place. */
  readonly key: (value: T) => string;
  /** More than `max` held are replaced by this one. */
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
