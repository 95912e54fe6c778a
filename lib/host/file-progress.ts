/**
 * Whose files a file thread is working on, in shared memory: a thread that hangs in a system call cannot answer. And
 * whether the main thread has heard the big messages that the thread has sent.
 */

const maxNameBytes = 64;
/** Numbers in front of the name. */
const counter = 0;
const nameLength = 1;
const retired = 2;
const heard = 3;
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
  #messages = 0;
  #lastBig = 0;

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

  /** The file thread calls this with each message to the main thread. */
  said(isBig: boolean): void {
    this.#messages = (this.#messages + 1) | 0;
    if (isBig) this.#lastBig = this.#messages;
  }

  /** The file thread calls this: whether the main thread has heard all big messages. */
  get isHeard(): boolean {
    return ((this.#lastBig - Atomics.load(this.#numbers, heard)) | 0) <= 0; // The numbers wrap around.
  }

  /** The main thread calls this when it has heard a message. */
  hear(): void {
    Atomics.add(this.#numbers, heard, 1);
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
