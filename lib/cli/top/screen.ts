/**
 * The terminal. Ink draws on its alternate screen, writing only lines that differ from those before, and reads the keys.
 * However it ends, the terminal is restored: by `close`, or by a hook on an unexpected exit.
 */
import { emitKeypressEvents, type Interface } from 'node:readline';
import ansiEscapes from 'ansi-escapes';
import { render, Transform, useStdin, type Instance } from 'ink';
import { createElement, useEffect, type ReactElement } from 'react';
import { StandIns } from './stand-ins.js';
import { keysOf, type Keypress, type TerminalKey } from './terminal-keys.js';

export interface ScreenOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly onKey: (key: TerminalKey) => void;
}

export class Screen {
  readonly #options: ScreenOptions;
  readonly #close = () => {
    this.close();
  };
  #ink: Instance | undefined;
  readonly #standIns = new StandIns();
  #lines: readonly string[] = [];

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  open(): void {
    const { stdin, stdout } = this.#options;
    process.once('exit', this.#close);
    stdout.write(ansiEscapes.enterAlternativeScreen + blank);
    this.#ink = render(this.#frame(), {
      stdin,
      stdout: writingThrough(stdout, (text) => this.#standIns.replace(text)),
      exitOnCtrlC: false,
      patchConsole: false,
      incrementalRendering: true,
    });
  }

  /** Each line is styled and no wider than the screen; they are fewer than its rows. */
  draw(lines: readonly string[]): void {
    this.#lines = this.#standIns.of(lines);
    this.#ink?.rerender(this.#frame());
  }

  /** After a resize the screen must be redrawn completely. */
  clear(): void {
    this.#ink?.clear();
    this.#options.stdout.write(blank);
  }

  close(): void {
    if (!this.#ink) return;
    this.#ink.unmount();
    this.#ink = undefined;
    this.#options.stdout.write(ansiEscapes.exitAlternativeScreen);
    process.off('exit', this.#close);
  }

  #frame(): ReactElement {
    return createElement(Frame, { lines: this.#lines, onKey: this.#options.onKey });
  }
}

/** A stream that changes the text that is written to it. */
function writingThrough(stream: NodeJS.WriteStream, change: (text: string) => string): NodeJS.WriteStream {
  return new Proxy(stream, {
    get(target, name) {
      if (name === 'write') return (text: string) => target.write(change(text));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const blank = ansiEscapes.eraseScreen + ansiEscapes.cursorTo(0, 0);

interface FrameProps {
  readonly lines: readonly string[];
  readonly onKey: (key: TerminalKey) => void;
}

/**
 * The lines come in by a transform of text that stays the same: Ink keeps what it measured of every text for ever, and a
 * view that is open for a week has a great many.
 */
function Frame({ lines, onKey }: FrameProps): ReactElement {
  const { stdin, setRawMode } = useStdin();
  useEffect(() => {
    // Not Ink's own useInput: it takes what arrives in one piece for one key, and a held arrow over ssh is several.
    const onKeypress = (text: string | undefined, key: Keypress) => {
      for (const each of keysOf(text, key)) onKey(each);
    };
    setRawMode(true);
    emitKeypressEvents(stdin, { escapeCodeTimeout: 50 } as unknown as Interface);
    stdin.on('keypress', onKeypress);
    return () => {
      stdin.off('keypress', onKeypress);
      setRawMode(false);
    };
  }, [stdin, setRawMode, onKey]);
  return createElement(Transform, {
    transform: (_, index) => lines[index] ?? '',
    children: lines.map(() => '.').join('\n'),
  });
}
