/** What is wrong, without the details that differ from zone to zone: the same text for all errors with the same cause. Pure. */
import { CommandError } from './command-error.js';

/** @param zonename The zone that the error is about, if it is about one. */
export function problemOf(error: Error, zonename?: string): string {
  const text = error instanceof CommandError ? `${error.command} ${error.problem}` : error.message;
  return zonename === undefined ? text : text.replaceAll(zonename, '<zone>');
}
