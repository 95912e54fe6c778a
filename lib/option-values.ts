/** Values of options that several programs have, for Commander. */
import { InvalidArgumentError } from 'commander';

/** Collects the values of an option that may be given several times. */
export function append(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

/** A port; 0 has the system pick a free one. @throws InvalidArgumentError */
export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('Expected a number from 0 to 65535.');
}
