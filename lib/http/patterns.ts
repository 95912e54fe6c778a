/**
 * RE2 for the `~` of filters, loaded with the first request that may have one: few daemons ever get one, and RE2 is a
 * tenth of all code.
 */
import type { PatternCompiler } from '../vm/conditions.js';

let compile: PatternCompiler | undefined;

/** Whether a query has a `~` and RE2 is not loaded yet: then call `loadPatterns` before parsing the query. */
export function needsPatterns(query: string): boolean {
  return compile === undefined && /~|%7e/i.test(query);
}

/** Loads RE2. */
export async function loadPatterns(): Promise<void> {
  compile = (await import('../vm/pattern.js')).compilePattern;
}

/** Compiles the regular expression of a filter. */
export const compilePattern: PatternCompiler = (key, pattern) => {
  if (compile === undefined) throw new Error('loadPatterns comes first');
  return compile(key, pattern);
};
