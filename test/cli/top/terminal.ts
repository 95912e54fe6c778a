/** A terminal for a test, or for a screenshot: tmux on a server of its own, whose screen one reads. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const exec = promisify(execFile);

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** What its shell shows once it has set the terminal as it needs it, and reads what one types. */
export const prompt = /^\$/m;

export class Terminal implements AsyncDisposable {
  readonly #server = `vminfod-${randomUUID()}`;

  /** A terminal with a shell in it. */
  static async open(size: TerminalSize): Promise<Terminal> {
    const terminal = new Terminal();
    // Programs in it take themselves to be with a person, whatever surrounds the test.
    const surroundings = ['CI', 'NO_COLOR', 'FORCE_COLOR'].flatMap((name) => ['-u', name]);
    const shell = ['env', ...surroundings, 'PS1=$ ', 'TERM=screen-256color', 'bash', '--norc'];
    const [columns, rows] = [String(size.columns), String(size.rows)];
    await terminal.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', columns, '-y', rows, ...shell);
    await terminal.until(prompt);
    return terminal;
  }

  /** Keys as tmux names them (`Enter`, `C-c`, `Down`), or text. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** Types text, and nothing else. */
  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', text);
  }

  async resize({ columns, rows }: TerminalSize): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** What the screen shows; with `styles`, as escapes of a terminal. */
  async screen({ styles = false }: { readonly styles?: boolean } = {}): Promise<string> {
    return this.#tmux('capture-pane', '-p', ...(styles ? ['-e'] : []));
  }

  /** The screen once it is as wanted; a test's own timeout is the limit. */
  async until(wanted: RegExp | ((screen: string) => boolean)): Promise<string> {
    for (;;) {
      const screen = await this.screen();
      if (typeof wanted === 'function' ? wanted(screen) : wanted.test(screen)) return screen;
      await pause(20);
    }
  }

  /** All that is written to it from now on, as it comes. It ends with the terminal. */
  async output(): Promise<Readable> {
    const pipe = join(tmpdir(), `${this.#server}.pipe`);
    await exec('mkfifo', [pipe]);
    const output = createReadStream(pipe);
    await Promise.all([once(output, 'open'), this.#tmux('pipe-pane', `exec cat >${pipe}`)]);
    await rm(pipe);
    return output;
  }

  /** The process id of its shell. */
  async shell(): Promise<number> {
    return Number(await this.#tmux('display-message', '-p', '#{pane_pid}'));
  }

  /** Whether a full-screen program is on it, whether the cursor is to be seen, and how the line discipline is set. */
  async state(): Promise<{ readonly alternate: boolean; readonly cursor: boolean; readonly modes: string }> {
    const format = '#{alternate_on} #{cursor_flag} #{pane_tty}';
    const [alternate, cursor, tty = ''] = (await this.#tmux('display-message', '-p', format))
      .trim()
      .split(' ');
    const { stdout } = await exec('stty', ['-F', tty, '-g']);
    return { alternate: alternate === '1', cursor: cursor === '1', modes: stdout };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux('kill-server').catch(() => undefined); // It is gone with its last shell.
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const { stdout } = await exec('tmux', ['-L', this.#server, ...args], { maxBuffer: 2 ** 22 });
    return stdout;
  }
}
