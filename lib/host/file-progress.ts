/**
 * Whose files a file thread is working on, in shared memory: a thread that hangs in a system call cannot answer. And
 * whether the main thread has heard the last message that brought texts.
 */
import type { FileNews } from './file-messages.js';

const maxNameBytes = 64;
/** Numbers in front of the name. */
const counter = 0;
const nameLength = 1;
const retired = 2;
const unheard = 3;
const headerBytes = 16;
const idle = -1;

/** What a thread was seen doing. */
export interface Work {
  /** Changes with everything that the thread does. */
  readonly count: number;
  readonly zonename: string;
}

/** The progress of one file thread; it and the main thread each have an instance on the same memory. */
export class FileProgress {
  readonly shared: SharedArrayBuffer;
  readonly #numbers: Int32Array;
  readonly #name: Buffer;
  #zonename: string | undefined;

  constructor(shared?: SharedArrayBuffer) {
    this.shared = shared ?? new SharedArrayBuffer(headerBytes + maxNameBytes);
    this.#numbers = new Int32Array(this.shared, 0, headerBytes / Int32Array.BYTES_PER_ELEMENT);
    this.#name = Buffer.from(this.shared, headerBytes, maxNameBytes);
    if (shared === undefined) Atomics.store(this.#numbers, nameLength, idle);
  }

  /** The file thread calls this: from here on it works for this zone. Repeated calls for the same zone count as one. */
  begin(zonename: string): void {
    if (zonename === this.#zonename) return;
    this.#zonename = zonename;
    Atomics.store(this.#numbers, nameLength, this.#name.write(zonename, 'latin1'));
    Atomics.add(this.#numbers, counter, 1);
  }

  /** The file thread calls this when it has finished what it began. */
  end(): void {
    this.#zonename = undefined;
    Atomics.store(this.#numbers, nameLength, idle);
    Atomics.add(this.#numbers, counter, 1);
  }

  /** The file thread calls this with each message before it sends it. */
  say(news: readonly FileNews[]): void {
    if (bringsTexts(news)) Atomics.store(this.#numbers, unheard, 1);
  }

  /** The main thread calls this with each message. */
  hear(news: readonly FileNews[]): void {
    if (bringsTexts(news)) Atomics.store(this.#numbers, unheard, 0);
  }

  /** The file thread calls this, and sends no further texts before: whether the main thread has heard the last ones. */
  get isHeard(): boolean {
    return Atomics.load(this.#numbers, unheard) === 0;
  }

  /** The main thread calls this: what the file thread is doing. Reliable if the count is the same as at the last look. */
  look(): Work | undefined {
    const length = Atomics.load(this.#numbers, nameLength);
    if (length === idle) return undefined;
    return {
      count: Atomics.load(this.#numbers, counter),
      zonename: this.#name.toString('latin1', 0, length),
    };
  }

  /** The main thread calls this: others do the file thread's work, and it is to end after its current task. */
  retire(): void {
    Atomics.store(this.#numbers, retired, 1);
  }

  /** The file thread calls this: whether it is to end. */
  get isRetired(): boolean {
    return Atomics.load(this.#numbers, retired) === 1;
  }
}

function bringsTexts(news: readonly FileNews[]): boolean {
  return news.some((each) => each.type === 'changed' && each.texts !== undefined);
}
