/**
 * Bytes to lines, as they come. Linear in the bytes however they are cut, and bounded: a line that does not end
 * within `maxBytes` is an error, not memory. What follows the last newline is not a line.
 */
import { BadAnswerError } from './errors.js';

const newline = 0x0a;

export async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString();
      parts = [];
      bytes = 0;
      start = end + 1;
      yield line;
    }
    parts.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > maxBytes) throw new BadAnswerError(`an event line is longer than ${maxBytes} bytes`);
  }
}
