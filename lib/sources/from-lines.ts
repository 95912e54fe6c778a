/**
 * The lines of a command that should never end. It owns the child process: whoever unsubscribes ends it.
 */
import { execa } from 'execa';
import { Observable } from 'rxjs';
import { requireDescriptors } from '../host/descriptors.js';
import { LineSplitter, LineTooLongError } from '../line-splitter.js';

/** A command that feeds a source broke: it ended, wrote to stderr, or wrote what is not a line. */
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
 * Emits each line as soon as it is there, all lines of one read in one turn. Never completes: a command that
 * ends, for whatever reason, or says anything on stderr, is an error ({@link SourceError}).
 * Unsubscribing sends SIGTERM, and SIGKILL after `killAfterMs`.
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
    const abort = new AbortController();
    const child = execa(command, args, {
      buffer: false,
      stdin: 'ignore',
      env: { LC_ALL: 'C' },
      cancelSignal: abort.signal,
      forceKillAfterDelay: killAfterMs,
    });

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
    child.then(
      () => {
        fail('ended with exit code 0');
      },
      (cause: unknown) => {
        fail(cause instanceof Error ? endOf(cause) : 'ended', cause);
      },
    );
    return () => {
      abort.abort();
    };
  });
}

/** How the command ended, in a few words. */
function endOf(error: Error & { signal?: string; exitCode?: number; code?: string | undefined }): string {
  if (error.signal !== undefined) return `was killed by ${error.signal}`;
  if (error.exitCode !== undefined) return `ended with exit code ${error.exitCode}`;
  return error.code === 'ENOENT' ? 'is missing' : `could not be run (${error.code ?? error.message})`;
}
