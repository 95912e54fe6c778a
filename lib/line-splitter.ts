/** Splits bytes into lines of text. Time is linear in the bytes, however they are chunked, and memory is bounded. Pure. */

/** A line exceeds the limit. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';

  constructor(maxBytes: number) {
    super(`a line is longer than ${maxBytes} bytes`);
  }
}

/** Takes bytes as they arrive, and yields each line once it is complete. Text after the last newline is not a line. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** @param maxBytes Of one line, without its newline. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The lines that end in a chunk. The chunk is consumed as they are iterated, so iterate to the end.
   *
   * @throws LineTooLongError
   */
  *add(chunk: Buffer): Generator<string, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      this.#push(chunk.subarray(start, end));
      const line = Buffer.concat(this.#parts, this.#bytes).toString();
      this.#parts = [];
      this.#bytes = 0;
      start = end + 1;
      yield line;
    }
    this.#push(chunk.subarray(start));
  }

  #push(part: Buffer): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) throw new LineTooLongError(this.#maxBytes);
  }
}

const newline = 0x0a;
