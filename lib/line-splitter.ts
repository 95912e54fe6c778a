/** Bytes to lines of text. The time it takes is linear in the bytes, however they are cut, and the memory is bounded. Pure. */

/** A line is too long to be one. */
export class LineTooLongError extends Error {
  override readonly name = 'LineTooLongError';

  constructor(maxBytes: number) {
    super(`a line is longer than ${maxBytes} bytes`);
  }
}

/** Takes bytes as they come, and gives each line once it is whole. What follows the last newline is not a line. */
export class LineSplitter {
  readonly #maxBytes: number;
  #parts: Buffer[] = [];
  #bytes = 0;

  /** @param maxBytes Of one line, its newline not counted. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The lines that end in a chunk. It is taken in as they are iterated over, to the end.
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
