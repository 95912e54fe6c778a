/**
 * A shell that runs our commands, one after the other. Starting a process copies the page tables of its parent, which
 * blocks the parent's event loop for 1 to 20 ms, depending on its memory and the machine. Having a waiting shell do it
 * costs less than half a millisecond (`npm run bench -- --only commands` shows both).
 *
 * The shell prints a mark before and after a command's output (command-output.ts), so the output is known to be complete.
 * Anything outside the marks is from a process that an earlier command left behind: the shell is then killed with all
 * that it started, and a command that it was running fails. Only what such a process prints while another command runs
 * cannot be told from that command's own output; none of the commands that we run leaves a process behind.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { CommandOutput, type BadOutput, type OutputMarks } from './command-output.js';
import { requireDescriptors } from './descriptors.js';

/** How a command ended. */
export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
  /** The shell's `$?`: 127 or 126 for a command that it could not start, over 128 for one that was killed. */
  readonly status: number;
}

/** A shell is gone, and with it the command that it ran. */
export class ShellError extends Error {
  override readonly name = 'ShellError';
  /** Unexpected output, or too much; it was killed by someone else, or by us; or it could not be started. */
  readonly code: 'OUTPUT' | 'OUTPUT_LIMIT' | 'SIGNAL' | 'KILLED' | 'SPAWN';

  constructor(code: ShellError['code'], problem: string, options?: ErrorOptions) {
    super(problem, options);
    this.code = code;
  }
}

/** A shell in a process group of its own. */
export class Shell {
  readonly #marks: OutputMarks;
  readonly #child = startShell();
  #running: Running | undefined;
  #error: ShellError | undefined;

  constructor() {
    const id = randomUUID();
    this.#marks = { before: `${id}\n`, after: `\n${id} ` };
    this.#child.on('error', (cause) => {
      this.#end(notStarted(cause));
    });
    // `exit`, not `close`: a process that it started may live on and hold its pipes open.
    this.#child.on('exit', (code, signal) => {
      const how = signal === null ? `which exited with ${code}` : `killed by ${signal}`;
      this.#end(new ShellError('SIGNAL', `lost its shell, ${how}`));
    });
    for (const output of ['stdout', 'stderr'] as const) {
      this.#child[output].on('data', (chunk: Buffer) => {
        this.#take(output, chunk);
      });
    }
    // An error on a pipe is followed by the end of the shell, which reports it.
    for (const stream of this.#pipes()) stream.on('error', () => undefined);
    this.#hold(false);
  }

  /** False when it is gone. */
  get isAlive(): boolean {
    return this.#error === undefined;
  }

  /**
   * Runs a command to its end; one at a time.
   *
   * @throws ShellError also when either output has more than `maxBytes`. The shell is then gone, with all that it started.
   */
  run(command: string, args: readonly string[], maxBytes: number): Promise<ShellResult> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) {
        reject(this.#error);
        return;
      }
      const { before, after } = this.#marks;
      const stdout = new CommandOutput(this.#marks, maxBytes);
      const stderr = new CommandOutput(this.#marks, maxBytes);
      this.#running = { stdout, stderr, maxBytes, resolve, reject };
      this.#hold(true);
      const line = [command, ...args].map(quoted).join(' ');
      const first = `printf '${before}'`;
      const last = `printf '${after}%d\\n' $1`;
      this.#child.stdin.write(`${first}; ${first} >&2\n${line} </dev/null\nset $?; ${last}; ${last} >&2\n`);
    });
  }

  /**
   * Kills it with everything that it started, and releases its handles, so that a command stuck in the kernel does not
   * keep us alive.
   */
  kill(): void {
    this.#end(new ShellError('KILLED', 'was killed'));
  }

  #take(output: 'stdout' | 'stderr', chunk: Buffer): void {
    const running = this.#running;
    const bad = running === undefined ? 'unplaced' : running[output].add(chunk);
    if (bad !== undefined) {
      this.#end(outputError(bad, running?.maxBytes ?? 0));
    } else if (running?.stdout.status !== undefined && running.stderr.status !== undefined) {
      this.#running = undefined;
      this.#hold(false);
      const { stdout, stderr } = running;
      running.resolve({ stdout: stdout.text(), stderr: stderr.text(), status: running.stdout.status });
    }
  }

  #end(error: ShellError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    const { pid } = this.#child;
    if (pid !== undefined) killGroup(pid);
    for (const stream of this.#pipes()) stream.destroy();
    this.#hold(false);
    this.#running?.reject(error);
    this.#running = undefined;
  }

  #pipes() {
    const { stdin, stdout, stderr } = this.#child;
    return [stdin, stdout, stderr];
  }

  /** Whether it keeps our process alive: only while it runs a command. When our process ends, so does the shell. */
  #hold(hold: boolean): void {
    for (const each of [this.#child, ...this.#pipes()] as readonly Partial<Held>[]) {
      if (hold) each.ref?.();
      else each.unref?.();
    }
  }
}

interface Running {
  readonly stdout: CommandOutput;
  readonly stderr: CommandOutput;
  readonly maxBytes: number;
  readonly resolve: (result: ShellResult) => void;
  readonly reject: (error: ShellError) => void;
}

/** One of node's handles: a child process or a pipe. */
interface Held {
  ref(): void;
  unref(): void;
}

/** @throws ShellError when there are no descriptors for it. */
function startShell() {
  try {
    requireDescriptors();
  } catch (error) {
    throw notStarted(error as Error);
  }
  return spawn('/bin/sh', [], {
    stdio: 'pipe',
    detached: true, // In a process group of its own, by which all that it started is killed.
    env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '/usr/bin:/usr/sbin:/sbin' },
  });
}

function notStarted(cause: Error): ShellError {
  return new ShellError('SPAWN', `could not be started: ${cause.message}`, { cause });
}

function outputError(bad: BadOutput, maxBytes: number): ShellError {
  return bad === 'too much'
    ? new ShellError('OUTPUT_LIMIT', `printed more than ${maxBytes} bytes`)
    : new ShellError(
        'OUTPUT',
        'has a shell in which something else prints: an earlier command left it behind',
      );
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: all have just ended. EPERM: macOS's answer for a zombie.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** Quotes a text as one word for the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
