/**
 * The lines of a command that should never end. It owns the child process: unsubscribing ends it.
 */
import { spawn } from 'node:child_process';
import { Observable } from 'rxjs';
import { requireDescriptors } from '../host/descriptors.js';
import { LineSplitter, LineTooLongError } from '../line-splitter.js';

/** A source's command failed: it ended, wrote to stderr, or wrote something that is not a line. */
export class SourceError extends Error {
  override readonly name = 'SourceError';

  /** The command, e.g. `/usr/sbin/sysevent`. */
  readonly command: string;

  constructor(command: string, problem: string, options?: ErrorOptions) {
    super(`${command}: ${problem}`, options);
    this.command = command;
  }
}

export interface LinesOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** A line longer than this is garbage: an error. */
  readonly maxLineBytes: number;
  /** From SIGTERM to SIGKILL. */
  readonly killAfterMs: number;
}

/**
 * Emits each line as soon as it arrives, all lines of one read in one turn. Never completes: a command that ends, for
 * whatever reason, or says anything on stderr, is an error ({@link SourceError}). Unsubscribing sends SIGTERM, and
 * SIGKILL after `killAfterMs`.
 */
export function fromLines({ command, args, maxLineBytes, killAfterMs }: LinesOptions): Observable<string> {
  return new Observable((subscriber) => {
    const fail = (problem: string, cause?: unknown) => {
      subscriber.error(new SourceError(command, problem, { cause }));
    };
    try {
      requireDescriptors();
    } catch (cause) {
      fail(endOf(cause as NodeJS.ErrnoException), cause);
      return;
    }
    // Node's own spawn: execa takes a third of the time that the daemon's modules take to load.
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    });
    const kill = () => child.kill();
    process.once('exit', kill); // However we end, the child must not stay behind.

    const lines = new LineSplitter(maxLineBytes);
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        for (const line of lines.add(chunk)) subscriber.next(line);
      } catch (error) {
        if (!(error instanceof LineTooLongError)) throw error;
        fail(`wrote a line of more than ${maxLineBytes} bytes`, error);
      }
    });
    child.stderr.on('data', (chunk: Buffer) => {
      fail(`wrote to stderr: ${chunk.toString('utf8', 0, 200).trim()}`);
    });
    child.on('error', (cause: NodeJS.ErrnoException) => {
      fail(cause.code === 'ENOENT' ? 'is missing' : endOf(cause), cause);
    });
    child.on('close', (exitCode, signal) => {
      process.off('exit', kill);
      fail(signal === null ? `ended with exit code ${exitCode}` : `was killed by ${signal}`);
    });
    return () => {
      kill();
      const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      child.once('close', () => {
        clearTimeout(timer);
      });
    };
  });
}

/** Why there is no command, in a few words. */
function endOf({ code, message }: NodeJS.ErrnoException): string {
  return `could not be run (${code ?? message})`;
}
