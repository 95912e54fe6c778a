/**
 * Whose files a file thread is at, in memory that both threads see: a thread that hangs in a system call cannot answer.
 */

const maxNameBytes = 64;
/** Numbers in front of the name. */
const counter = 0;
const nameLength = 1;
const retired = 2;
const headerBytes = 12;
const idle = -1;

/** What a thread was seen to do. */
export interface Work {
  /** Another number for everything that the thread does. */
  readonly count: number;
  readonly zonename: string;
}

/** The progress of one thread; each of the two threads has one on the same memory. */
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

  /** The file thread: from here on it works for this zone. Several things in a row for the same zone are one. */
  begin(zonename: string): void {
    if (zonename === this.#zonename) return;
    this.#zonename = zonename;
    Atomics.store(this.#numbers, nameLength, this.#name.write(zonename, 'latin1'));
    Atomics.add(this.#numbers, counter, 1);
  }

  /** The file thread: it has done what it began. */
  end(): void {
    this.#zonename = undefined;
    Atomics.store(this.#numbers, nameLength, idle);
    Atomics.add(this.#numbers, counter, 1);
  }

  /** The main thread: what it is at. Right if it has not moved since the last look. */
  look(): Work | undefined {
    const length = Atomics.load(this.#numbers, nameLength);
    if (length === idle) return undefined;
    return {
      count: Atomics.load(this.#numbers, counter),
      zonename: this.#name.toString('latin1', 0, length),
    };
  }

  /** The main thread: others do its work; it is to end when it has done what it is at. */
  retire(): void {
    Atomics.store(this.#numbers, retired, 1);
  }

  /** The file thread: whether it is to end. */
  get isRetired(): boolean {
    return Atomics.load(this.#numbers, retired) === 1;
  }
}
