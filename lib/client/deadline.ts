/** A deadline that can be postponed or cancelled, as an AbortSignal whose reason is `error()`. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Starts over, with a new duration if one is given. */
  restart(ms?: number): void;
  cancel(): void;
}

const maxTimerMs = 2 ** 31 - 1;

export function deadline(ms: number, error: () => Error): Deadline {
  const abort = new AbortController();
  const start = (delayMs: number) =>
    // More than the 24 days that a timer can run counts as for ever.
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
