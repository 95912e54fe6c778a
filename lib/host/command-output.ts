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
  readonly #chunks: Buffer[] = [];
  /** Of the chunks, without the marks. */
  #bytes = 0;
  /** What arrived before the first mark was complete; `undefined` from then on. */
  #head: Buffer | undefined = Buffer.alloc(0);
  /** The latest bytes, while they may still be part of the last mark. */
  #tail = Buffer.alloc(0);
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
    if (this.#head === undefined) return this.#addContent(chunk);
    this.#head = Buffer.concat([this.#head, chunk]);
    const mark = this.#before.subarray(0, this.#head.length);
    if (!this.#head.subarray(0, mark.length).equals(mark)) return 'unplaced';
    if (mark.length < this.#before.length) return undefined;
    const content = this.#head.subarray(mark.length);
    this.#head = undefined;
    return this.#addContent(content);
  }

  /** What is between the marks. */
  text(): string {
    return Buffer.concat(this.#chunks, this.#bytes).toString();
  }

  #addContent(chunk: Buffer): BadOutput | undefined {
    const bytes = Buffer.concat([this.#tail, chunk]);
    const at = bytes.indexOf(this.#after);
    const end = at === -1 ? Math.max(0, bytes.length - this.#after.length + 1) : at;
    this.#chunks.push(bytes.subarray(0, end));
    this.#bytes += end;
    this.#tail = bytes.subarray(end);
    if (this.#bytes > this.#maxBytes) return 'too much';
    if (at === -1) return undefined;
    const status = this.#tail.toString('latin1', this.#after.length);
    if (/^\d{1,3}\n$/.test(status)) this.#status = Number(status);
    else if (!/^\d{0,3}$/.test(status)) return 'unplaced';
    return undefined;
  }
}
