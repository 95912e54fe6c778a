/**
 * Runs a command to its end and collects what it prints. Whatever the command does, the call settles: at its end, at
 * the timeout, at the output limit or when aborted, also if the child ignores signals, left a grandchild that
 * holds its stdout, or is stuck in the kernel. An output that may be incomplete is an error and never a result.
 */
import { performance } from 'node:perf_hooks';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { CommandError, type CommandErrorDetails } from './command-error.js';

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
  /** Which ends are an answer rather than a failure. Default: exit code 0. */
  readonly accepts?: (result: CommandResult) => boolean;
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
  const whole = Promise.all([
    child,
    readAll(child.stdout, maxBytes, failure),
    readAll(child.stderr, maxBytes, failure),
  ]);
  const [end, stdout, stderr] = await Promise.race([whole, cut.promise])
    .catch((error: unknown) => {
      kill(child);
      throw error;
    })
    .finally(cut.release);

  if (end.signal !== undefined)
    throw failure({ code: 'SIGNAL', problem: `was killed by ${end.signal}`, stderr });
  if (end.exitCode === undefined) throw failure(notStarted(end));
  const result = { stdout, stderr, exitCode: end.exitCode };
  if (accepts(result)) return result;
  throw failure({
    code: 'EXIT',
    problem: `exited with ${result.exitCode}${firstLine(stderr)}`,
    exitCode: result.exitCode,
    stderr,
  });
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
    // ESRCH: all have just ended. EPERM: macOS says so of a zombie.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
}

interface SpawnFailure {
  readonly code?: string | undefined;
  readonly originalMessage?: string | undefined;
  readonly cause?: unknown;
}

/** Why there was no child at all. */
function notStarted({ code, originalMessage, cause }: SpawnFailure): CommandErrorDetails {
  return code === 'ENOENT'
    ? { code, problem: 'does not exist', cause }
    : { code: 'SPAWN', problem: `could not be started: ${originalMessage ?? 'unknown error'}`, cause };
}

function exitedWithZero({ exitCode }: CommandResult): boolean {
  return exitCode === 0;
}

function firstLine(stderr: string): string {
  const line = stderr.trim().split('\n', 1)[0];
  return line ? `: ${line.slice(0, 200)}` : '';
}
