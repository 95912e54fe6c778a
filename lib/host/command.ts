/**
 * Runs a command to its end and collects what it prints. Whatever the command does, the call settles: at its end, at the
 * timeout, at the output limit or when aborted, even if the command ignores signals or is stuck in the kernel. An output
 * that may be incomplete is an error and never a result.
 */
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import { CommandError, type CommandErrorDetails } from './command-error.js';
import { ShellError, type Shell } from './shell.js';
import type { Shells } from './shells.js';

/** What a command printed, and how it ended. */
export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** How a command is run. */
export interface CommandOptions {
  readonly timeoutMs: number;
  /** Bytes, for each of stdout and stderr. */
  readonly maxBytes: number;
  /** Any of these ends the command, with code `ABORTED`. */
  readonly signals?: readonly AbortSignal[];
  /** Whether an end is an answer rather than a failure. Default: exit code 0. */
  readonly accepts?: (result: CommandResult) => boolean;
}

/** What an observer learns about each command that ran, e.g. for metrics. */
export interface CommandRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly durationMs: number;
  readonly error?: CommandError;
}

/**
 * Runs a command and resolves with what it printed. It runs in the C locale, without stdin.
 *
 * @throws CommandError when there is no answer; everything that the command started has then been sent SIGKILL.
 */
export async function runCommand(
  shells: Shells,
  command: string,
  args: readonly string[],
  options: CommandOptions,
  onRun?: (run: CommandRun) => void,
): Promise<CommandResult> {
  const startedAt = performance.now();
  try {
    const aborted = options.signals?.find((signal) => signal.aborted);
    if (aborted !== undefined) {
      const problem = 'was not started: aborted';
      throw new CommandError(command, args, { code: 'ABORTED', problem, cause: aborted.reason });
    }
    const result = await shells.lend((shell) => collectOutput(shell, command, args, options));
    onRun?.({ command, args, durationMs: performance.now() - startedAt });
    return result;
  } catch (cause) {
    const error = cause instanceof ShellError ? commandError(command, args, cause) : cause;
    if (error instanceof CommandError) {
      onRun?.({ command, args, durationMs: performance.now() - startedAt, error });
    }
    throw error;
  }
}

/** Only we kill shells. If no command was at fault, the shell was killed because the host is ending. */
function commandError(command: string, args: readonly string[], error: ShellError): CommandError {
  const { code, message: problem, cause } = error;
  return new CommandError(command, args, { code: code === 'KILLED' ? 'ABORTED' : code, problem, cause });
}

async function collectOutput(
  shell: Shell,
  command: string,
  args: readonly string[],
  { timeoutMs, maxBytes, signals = [], accepts = exitedWithZero }: CommandOptions,
): Promise<CommandResult> {
  const failure = (details: CommandErrorDetails) => new CommandError(command, args, details);
  const cut = cutShort(timeoutMs, signals, failure);
  const { stdout, stderr, status } = await Promise.race([shell.run(command, args, maxBytes), cut.promise])
    .catch((error: unknown) => {
      shell.kill();
      throw error;
    })
    .finally(cut.release);

  // For 127 and 126 the shell has printed the reason; a command that exits with one of them itself means the same.
  if (status === 127) throw failure({ code: 'ENOENT', problem: 'does not exist', stderr });
  if (status === 126)
    throw failure({ code: 'SPAWN', problem: `could not be started${firstLine(stderr)}`, stderr });
  const signal = signalOf(status);
  if (signal !== undefined) throw failure({ code: 'SIGNAL', problem: `was killed by ${signal}`, stderr });
  const result = { stdout, stderr, exitCode: status };
  if (accepts(result)) return result;
  const problem = `exited with ${status}${firstLine(stderr)}`;
  throw failure({ code: 'EXIT', problem, exitCode: status, stderr });
}

type Failure = (details: CommandErrorDetails) => CommandError;

/** A promise that rejects at the timeout or when a signal aborts. `release` clears the timer and removes the listeners. */
function cutShort(
  timeoutMs: number,
  signals: readonly AbortSignal[],
  failure: Failure,
): { readonly promise: Promise<never>; readonly release: () => void } {
  let release: () => void = () => undefined;
  const promise = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => {
      reject(failure({ code: 'TIMEOUT', problem: `timed out after ${timeoutMs / 1000} s` }));
    }, timeoutMs);
    const abort = ({ target }: Event) => {
      const cause: unknown = (target as AbortSignal).reason;
      reject(failure({ code: 'ABORTED', problem: 'was aborted', cause }));
    };
    for (const signal of signals) signal.addEventListener('abort', abort);
    release = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', abort);
    };
  });
  return {
    promise,
    release: () => {
      release();
    },
  };
}

/** A shell adds 128 to the number of the signal, and the Korn shell 256. `undefined` for an exit code. */
function signalOf(status: number): string | undefined {
  const number = status > 256 ? status - 256 : status - 128;
  return Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
}

function exitedWithZero({ exitCode }: CommandResult): boolean {
  return exitCode === 0;
}

function firstLine(stderr: string): string {
  const line = stderr.trim().split('\n', 1)[0];
  return line ? `: ${line.slice(0, 200)}` : '';
}
