/**
 * RE2 for the `~` of filters. It is loaded with the first request that may have one: of the daemons that run, few are ever
 * asked for any, and it is a tenth of all code.
 */
import type { PatternCompiler } from '../vm/conditions.js';

let compile: PatternCompiler | undefined;

/** Whether a query has a `~`, and RE2 is not here yet: then `loadPatterns` comes before the query is parsed. */
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
