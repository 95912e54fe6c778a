/**
 * Parses values on the command line: counts, and `key=value` words.
 */
import { InvalidArgumentError } from 'commander';

/** A value of a `key=value` word; null (an empty value) removes the key. */
export type Value = string | number | boolean | null;

/** `key=value` words: whole numbers and booleans are taken as such. */
export function parseEntries(texts: readonly string[]): Record<string, Value> {
  return Object.fromEntries(
    texts.map((text) => {
      const position = text.indexOf('=');
      if (position < 1) throw new InvalidArgumentError(`expected key=value, got "${text}"`);
      return [text.slice(0, position), parseValue(text.slice(position + 1))];
    }),
  );
}

/** A whole number that is not negative. */
export function parseCount(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('expected a whole number');
  return Number(text);
}

function parseValue(text: string): Value {
  if (text === '') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
}
