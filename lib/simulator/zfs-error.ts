/**
 * A zfs command that failed: its stderr and its exit code.
 */
export class ZfsError extends Error {
  override readonly name = 'ZfsError';
  /** 1 when the command could not be done, 2 for a wrong command line. */
  readonly exitCode: number;
  /** What zfs(8) prints, without the last newline. */
  readonly stderr: string;

  constructor(exitCode: number, stderr: string) {
    super(stderr);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** Ends the command with exit code 1: it cannot be done. */
export function fail(stderr: string): never {
  throw new ZfsError(1, stderr);
}

/** Ends the command with exit code 2: the command line is wrong. */
export function usage(stderr: string): never {
  throw new ZfsError(2, stderr);
}
