import { Writable } from 'node:stream';
import type { Surroundings } from '../../lib/cli/context.js';
import { main } from '../../lib/cli/main.js';

export interface Run {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Whether stdout is a terminal. */
  readonly isTTY?: boolean;
  /** Called with everything printed so far, each time something is. */
  readonly onOutput?: (stdout: string) => void;
  /** What runs. Default: all of vminfo. */
  readonly program?: (surroundings: Surroundings) => Promise<number>;
}

/** Runs vminfo in this process. */
export async function run(url: string, argv: readonly string[], options: RunOptions = {}): Promise<Run> {
  const stdout = new Sink(options.onOutput);
  const stderr = new Sink();
  const { program = main } = options;
  const status = await program({
    argv,
    env: { VMINFOD_URL: url, ...options.env },
    stdout: Object.assign(stdout, { isTTY: options.isTTY ?? false }),
    stderr,
  });
  return { status, stdout: stdout.text, stderr: stderr.text };
}

class Sink extends Writable {
  text = '';
  readonly #onOutput: ((text: string) => void) | undefined;

  constructor(onOutput?: (text: string) => void) {
    super();
    this.#onOutput = onOutput;
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.text += chunk.toString();
    callback();
    this.#onOutput?.(this.text);
  }
}
