/** What the agents on a host have in common, for the test that keeps them: they run until they are stopped, and know something. */
export interface Agent {
  readonly name: string;
  /** The agent's picture of the host, to be compared with the truth. */
  picture(): unknown;
  /** Requests that it made, and those that did not get what they asked for. */
  readonly requests: number;
  readonly failures: number;
  stop(): Promise<void>;
}

/** Sleeps, or less when it is aborted: an agent that is stopped does not wait. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
