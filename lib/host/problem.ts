/** What is wrong, without what differs from zone to zone: it is the same text for all that has the same cause. Pure. */
import { CommandError } from './command-error.js';

/** @param zonename The zone that the error is about, if it is about one. */
export function problemOf(error: Error, zonename?: string): string {
  const text = error instanceof CommandError ? `${error.command} ${error.problem}` : error.message;
  return zonename === undefined ? text : text.replaceAll(zonename, '<zone>');
}
