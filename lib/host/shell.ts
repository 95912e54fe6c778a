/**
 * A shell that runs our commands, one after the other. Whoever starts a process copies the page tables of all its memory
 * (fork(2)): that holds our event loop for some 15 ms, and costs a shell a fraction of one.
 *
 * A command's output ends with a mark that the shell prints after it, so what the command wrote is always whole. A process
 * that a command leaves behind is not waited for. If it prints while the shell is idle, it is killed with it; if it does
 * while the next command runs, that goes into the next one's output: the commands of host.md leave none behind.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';

/** How a command ended. */
export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
  /** As the shell has it in `$?`: 127 and 126 for what it could not start, over 128 for what was killed. */
  readonly status: number;
}

/** A shell is gone, and with it the command that it ran. */
export class ShellError extends Error {
  override readonly name = 'ShellError';
  /** Bad output, or too much; its end by someone else's hand, or by ours; or there never was one. */
  readonly code: 'OUTPUT' | 'OUTPUT_LIMIT' | 'SIGNAL' | 'KILLED' | 'SPAWN';

  constructor(code: ShellError['code'], problem: string, options?: ErrorOptions) {
    super(problem, options);
    this.code = code;
  }
}

/** A shell in a process group of its own. */
export class Shell {
  readonly #mark = `\n${randomUUID()} `;
  readonly #child = startShell();
  #running: Running | undefined;
  #error: ShellError | undefined;

  constructor() {
    const { stdout, stderr } = this.#child;
    this.#child.on('error', (cause) => {
      this.#end(new ShellError('SPAWN', `could not be started: ${cause.message}`, { cause }));
    });
    // `exit`, not `close`: what it ran may live on and hold its pipes.
    this.#child.on('exit', (code, signal) => {
      const how = signal === null ? `which exited with ${code}` : `killed by ${signal}`;
      this.#end(new ShellError('SIGNAL', `lost its shell, ${how}`));
    });
    stdout?.on('data', (chunk: Buffer) => {
      this.#take('stdout', chunk);
    });
    stderr?.on('data', (chunk: Buffer) => {
      this.#take('stderr', chunk);
    });
    // What is wrong with a pipe shows in the shell's end, which follows.
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
      const stdout = new MarkedOutput(this.#mark, maxBytes);
      const stderr = new MarkedOutput(this.#mark, maxBytes);
      this.#running = { stdout, stderr, maxBytes, resolve, reject };
      this.#hold(true);
      const line = [command, ...args].map(quoted).join(' ');
      const mark = `printf '${this.#mark}%d\\n' $1`;
      this.#child.stdin?.write(`${line} </dev/null\nset $?; ${mark}; ${mark} >&2\n`);
    });
  }

  /** Ends it with all that it started, and lets go of it, so that a command stuck in the kernel holds nothing of ours. */
  kill(): void {
    this.#end(new ShellError('KILLED', 'was killed'));
  }

  #take(output: 'stdout' | 'stderr', chunk: Buffer): void {
    const running = this.#running;
    if (running?.[output].status !== undefined) {
      this.#end(new ShellError('OUTPUT', 'left a process behind that goes on printing'));
    } else if (running === undefined) {
      this.kill(); // The command before has left such a process behind.
    } else if (!running[output].add(chunk)) {
      this.#end(new ShellError('OUTPUT_LIMIT', `printed more than ${running.maxBytes} bytes`));
    } else if (running.stdout.status !== undefined && running.stderr.status !== undefined) {
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

  /** None when there are no more descriptors to be had: then the error follows. */
  #pipes(): readonly (Readable | Writable)[] {
    const { stdin, stdout, stderr } = this.#child;
    return [stdin, stdout, stderr].flatMap((stream) => stream ?? []);
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
  readonly stdout: MarkedOutput;
  readonly stderr: MarkedOutput;
  readonly maxBytes: number;
  readonly resolve: (result: ShellResult) => void;
  readonly reject: (error: ShellError) => void;
}

/** A handle of node's: a child process, or a pipe. */
interface Held {
  ref(): void;
  unref(): void;
}

/** Output of a command up to the mark, which is followed by the status and a newline. */
class MarkedOutput {
  readonly #mark: Buffer;
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** `undefined` until the mark is there. */
  status: number | undefined;

  constructor(mark: string, maxBytes: number) {
    this.#mark = Buffer.from(mark);
    this.#maxBytes = maxBytes;
  }

  /** False when it is too much, as far as one can tell before the mark is there. */
  add(chunk: Buffer): boolean {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const longestEnd = this.#mark.length + 4; // a status of up to three digits, and the newline
    if (chunk.at(-1) === newline) {
      const end = this.#lastBytes(longestEnd);
      const at = end.lastIndexOf(this.#mark);
      if (at >= 0) {
        this.status = Number(end.toString('latin1', at + this.#mark.length, end.length - 1));
        this.#bytes -= end.length - at;
      }
    }
    return this.#bytes <= this.#maxBytes + (this.status === undefined ? longestEnd : 0);
  }

  /** What is before the mark. */
  text(): string {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    return all?.toString('utf8', 0, this.#bytes) ?? '';
  }

  #lastBytes(count: number): Buffer {
    let bytes = Buffer.alloc(0);
    for (let index = this.#chunks.length - 1; index >= 0 && bytes.length < count; index--) {
      bytes = Buffer.concat([this.#chunks[index]?.subarray(-count) ?? bytes, bytes]);
    }
    return bytes.subarray(-count);
  }
}

const newline = 10;

/** @throws ShellError when there is no memory for another process. */
function startShell(): ChildProcess {
  try {
    return spawn('/bin/sh', [], {
      detached: true,
      env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '/usr/bin:/usr/sbin:/sbin' },
    });
  } catch (cause) {
    throw new ShellError('SPAWN', `could not be started: ${(cause as Error).message}`, { cause });
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: all have just ended. EPERM: macOS says so of a zombie.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

/** A word for the shell that stands for exactly this text. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
