/**
 * An operation that is impossible in the host's current state: there is no such zone, or it is in another state.
 */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError';
  /** The zone, root or path that it is about. */
  readonly subject: string;

  constructor(subject: string, problem: string) {
    super(`${subject}: ${problem}`);
    this.subject = subject;
  }
}
