import { BadAnswerError } from './errors.js';

/** @throws BadAnswerError that names `what` and shows how it begins. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadAnswerError(`${what} is not JSON: ${JSON.stringify(text.slice(0, 80))}`, { cause });
  }
}
