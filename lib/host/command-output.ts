/**
 * One output stream of a command that a shell runs. The shell prints a line before and after it; the second also says how
 * the command ended. What is between them is the command's, and nothing else may appear. Pure.
 */

/** The lines around a command's outputs. Only the shell knows their text. */
export interface OutputMarks {
  readonly before: string;
  /** Followed by the command's status and a newline. */
  readonly after: string;
}

/** Why bytes are refused: they are outside the marks, or too many. */
export type BadOutput = 'unplaced' | 'too much';

/** Collects the bytes of one output of one command. */
export class CommandOutput {
  readonly #before: Buffer;
  readonly #after: Buffer;
  readonly #maxBytes: number;
  /** All that has arrived, marks included, in its first `#length` bytes: a command may print thousands of chunks. */
  #bytes: Buffer = Buffer.allocUnsafe(1024);
  #length = 0;
  /** Where the last mark begins; -1 until it is there. */
  #end = -1;
  #status: number | undefined;

  constructor(marks: OutputMarks, maxBytes: number) {
    this.#before = Buffer.from(marks.before);
    this.#after = Buffer.from(marks.after);
    this.#maxBytes = maxBytes;
  }

  /** How the command ended, as in the shell's `$?`; `undefined` until the last mark is there. */
  get status(): number | undefined {
    return this.#status;
  }

  /** Takes in a chunk. After a refusal the output is of no further use. */
  add(chunk: Buffer): BadOutput | undefined {
    if (this.#status !== undefined) return 'unplaced';
    const begin = this.#before.length;
    const known = this.#length;
    this.#append(chunk);
    const bytes = this.#bytes.subarray(0, this.#length);
    if (known < begin && !bytes.subarray(0, begin).equals(this.#before.subarray(0, bytes.length)))
      return 'unplaced';
    // The mark may have begun in an earlier chunk, and even now only part of it may be there.
    const partial = this.#after.length - 1;
    if (this.#end === -1) this.#end = bytes.indexOf(this.#after, Math.max(begin, known - partial));
    if ((this.#end === -1 ? bytes.length - partial : this.#end) - begin > this.#maxBytes) return 'too much';
    if (this.#end === -1) return undefined;
    const status = bytes.toString('latin1', this.#end + this.#after.length);
    if (/^\d{1,3}\n$/.test(status)) this.#status = Number(status);
    else if (!/^\d{0,3}$/.test(status)) return 'unplaced';
    return undefined;
  }

  /** What is between the marks. */
  text(): string {
    return this.#bytes.toString('utf8', this.#before.length, this.#end);
  }

  #append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}
