/** The lines of a body, as they arrive. An endless line is an error rather than endless memory. */
import { LineSplitter, LineTooLongError } from '../line-splitter.js';
import { BadAnswerError } from './errors.js';

/** @param maxBytes Of one line. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<string> {
  const splitter = new LineSplitter(maxBytes);
  try {
    for await (const chunk of chunks) yield* splitter.add(chunk);
  } catch (error) {
    if (!(error instanceof LineTooLongError)) throw error;
    throw new BadAnswerError(`in the event stream ${error.message}`, { cause: error });
  }
}
