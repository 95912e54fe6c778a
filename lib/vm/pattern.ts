/** Regular expressions of filters: RE2's, so that matching takes time linear in the text, whatever the pattern. */
import { RE2JS, RE2JSException } from 're2js';
import { maxPatternInstructions, maxPatternLength } from '../config.js';
import { QueryError } from './selector.js';

/**
 * Compiles a pattern: RE2's syntax, case-insensitive, matching anywhere.
 *
 * @param key What is to match, for the error.
 * @throws QueryError for what is no pattern, or one that is too long or too complex.
 */
export function compilePattern(key: string, pattern: string): (text: string) => boolean {
  if (pattern.length > maxPatternLength) {
    throw new QueryError(`${key}: pattern longer than ${maxPatternLength} characters`, [key]);
  }
  const compiled = compile(key, pattern);
  if (compiled.programSize() > maxPatternInstructions) {
    throw new QueryError(`${key}: pattern too complex`, [key]);
  }
  return (text) => compiled.test(text);
}

function compile(key: string, pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    throw new QueryError(`${key}: ${cause.message}`, [key], { cause });
  }
}
