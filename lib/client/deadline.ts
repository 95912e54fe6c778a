/** A deadline that can be put off or called off, as an AbortSignal whose reason is `error()`. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Starts over, with another time where one is given. */
  restart(ms?: number): void;
  cancel(): void;
}

const maxTimerMs = 2 ** 31 - 1;

export function deadline(ms: number, error: () => Error): Deadline {
  const abort = new AbortController();
  const start = (delayMs: number) =>
    // More than a timer can do is never: 24 days are for ever.
    delayMs > maxTimerMs
      ? undefined
      : setTimeout(() => {
          abort.abort(error());
        }, delayMs);
  let timer = start(ms);
  return {
    signal: abort.signal,
    restart: (newMs = ms) => {
      clearTimeout(timer);
      timer = start(newMs);
    },
    cancel: () => {
      clearTimeout(timer);
    },
  };
}
