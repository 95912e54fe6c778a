/**
 * Runs a command to its end and collects what it prints. Whatever the command does, the call settles: at its end, at
 * the timeout, at the output limit or when aborted, also if the child ignores signals, left a grandchild that
 * holds its stdout, or is stuck in the kernel. An output that may be incomplete is an error and never a result.
 */
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { errorTextMaxChars } from '../config.js';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  /** Bytes, for each of stdout and stderr. */
  readonly maxBytes: number;
  /** Any of these ends the command, with code `ABORTED`. */
  readonly signals?: readonly AbortSignal[];
  /** Which ends are an answer rather than a failure. Default: exit code 0. */
  readonly accepts?: (result: CommandResult) => boolean;
}

/**
 * Why a command gave no answer: it is not there (`ENOENT`) or could not be started (`SPAWN`), took too long (`TIMEOUT`),
 * exited otherwise than accepted (`EXIT`), printed too much (`OUTPUT_LIMIT`) or its output could not be read
 * (`OUTPUT`), was killed by someone else (`SIGNAL`), or was no longer wanted (`ABORTED`).
 */
export type CommandErrorCode =
  'ENOENT' | 'SPAWN' | 'TIMEOUT' | 'EXIT' | 'OUTPUT_LIMIT' | 'OUTPUT' | 'SIGNAL' | 'ABORTED';

interface CommandErrorDetails {
  readonly code: CommandErrorCode;
  readonly problem: string;
  readonly exitCode?: number | undefined;
  readonly stderr?: string | undefined;
  readonly cause?: unknown;
}

/** A command that gave no answer. Its message is one line that an operator understands. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly command: string;
  readonly args: readonly string[];
  readonly code: CommandErrorCode;
  readonly exitCode: number | undefined;
  /** The beginning of what it wrote to stderr. */
  readonly stderr: string;

  constructor(
    command: string,
    args: readonly string[],
    { code, problem, exitCode, stderr = '', cause }: CommandErrorDetails,
  ) {
    super(`${commandLine(command, args)} ${problem}`, cause === undefined ? undefined : { cause });
    this.command = command;
    this.args = args;
    this.code = code;
    this.exitCode = exitCode;
    this.stderr = stderr.slice(0, errorTextMaxChars);
  }
}

/** What an observer learns of each command that ran, e.g. for metrics. */
export interface CommandRun {
  readonly command: string;
  readonly args: readonly string[];
  readonly durationMs: number;
  readonly error?: CommandError;
}

/**
 * Runs a command and resolves with what it printed. It runs in the C locale, without stdin, in a process group of its own.
 *
 * @throws CommandError when there is no answer; the whole process group has then been sent SIGKILL.
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
  onRun?: (run: CommandRun) => void,
): Promise<CommandResult> {
  const startedAt = performance.now();
  try {
    const result = await collectOutput(command, args, options);
    onRun?.({ command, args, durationMs: performance.now() - startedAt });
    return result;
  } catch (error) {
    if (error instanceof CommandError) {
      onRun?.({ command, args, durationMs: performance.now() - startedAt, error });
    }
    throw error;
  }
}

async function collectOutput(
  command: string,
  args: readonly string[],
  { timeoutMs, maxBytes, signals = [], accepts = exitedWithZero }: CommandOptions,
): Promise<CommandResult> {
  const failure = (details: CommandErrorDetails) => new CommandError(command, args, details);
  const aborted = signals.find((signal) => signal.aborted);
  if (aborted) throw failure({ code: 'ABORTED', problem: 'was not started: aborted', cause: aborted.reason });

  // We read the pipes ourselves: execa's own buffer, when it overflows, waits for a child that may never end.
  const child = execa(command, args, {
    stdin: 'ignore',
    buffer: false,
    reject: false,
    cleanup: false,
    detached: true,
    extendEnv: false,
    env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '/usr/bin:/usr/sbin:/sbin' },
  });
  const cut = cutShort(timeoutMs, signals, failure);
  try {
    const [end, stdout, stderr] = await Promise.race([
      Promise.all([
        child,
        readAll(child.stdout, maxBytes, failure),
        readAll(child.stderr, maxBytes, failure),
      ]),
      cut.promise,
    ]);
    if (end.signal !== undefined) {
      throw failure({ code: 'SIGNAL', problem: `was killed by ${end.signal}`, stderr });
    }
    if (end.exitCode === undefined) {
      const missing = end.code === 'ENOENT';
      throw failure({
        code: missing ? 'ENOENT' : 'SPAWN',
        problem: missing
          ? 'does not exist'
          : `could not be started: ${end.originalMessage ?? 'unknown error'}`,
        cause: end.cause,
      });
    }
    const result = { stdout, stderr, exitCode: end.exitCode };
    if (accepts(result)) return result;
    throw failure({
      code: 'EXIT',
      problem: `exited with ${result.exitCode}${firstLine(stderr)}`,
      exitCode: result.exitCode,
      stderr,
    });
  } catch (error) {
    kill(child);
    throw error;
  } finally {
    cut.release();
  }
}

type Failure = (details: CommandErrorDetails) => CommandError;

/** A promise that rejects at the timeout or when a signal aborts. `release` gives back the timer and the listeners. */
function cutShort(
  timeoutMs: number,
  signals: readonly AbortSignal[],
  failure: Failure,
): { readonly promise: Promise<never>; readonly release: () => void } {
  const released = new AbortController();
  const promise = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(() => {
      reject(failure({ code: 'TIMEOUT', problem: `timed out after ${timeoutMs / 1000} s` }));
    }, timeoutMs);
    for (const signal of signals) {
      const abort = () => {
        reject(failure({ code: 'ABORTED', problem: 'was aborted', cause: signal.reason }));
      };
      signal.addEventListener('abort', abort, { signal: released.signal });
    }
    released.signal.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  });
  return {
    promise,
    release: () => {
      released.abort();
    },
  };
}

/** All of a stream up to its close: the end of the output can come after the child's exit. */
function readAll(stream: Readable, maxBytes: number, failure: Failure): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else reject(failure({ code: 'OUTPUT_LIMIT', problem: `printed more than ${maxBytes} bytes` }));
    });
    stream.on('error', (cause) => {
      reject(failure({ code: 'OUTPUT', problem: `could not be read: ${cause.message}`, cause }));
    });
    stream.on('close', () => {
      resolve(Buffer.concat(chunks).toString());
    });
  });
}

/** Ends a child with all that it started, and lets go of it, so that one stuck in the kernel holds nothing of ours. */
function kill(child: { pid?: number | undefined; stdout: Readable; stderr: Readable; unref(): void }): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: it is gone already, as after an exit code that was not accepted. EPERM: macOS says so of a zombie.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
}

function exitedWithZero({ exitCode }: CommandResult): boolean {
  return exitCode === 0;
}

function commandLine(command: string, args: readonly string[]): string {
  const line = [command, ...args].join(' ');
  return line.length <= 100 ? line : `${line.slice(0, 100)} …`;
}

function firstLine(stderr: string): string {
  const line = stderr.trim().split('\n', 1)[0];
  return line ? `: ${line.slice(0, 200)}` : '';
}
