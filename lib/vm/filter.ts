/** Filters over VMs, as `vmadm lookup key=value …` has them: all must hold, values compare as text. */
import { RE2JS, RE2JSException } from 're2js';
import { maxPatternInstructions, maxPatternLength } from '../config.js';
import type { JsonValue } from './json.js';
import { parseSelectors, QueryError, someValueAt, type Selector } from './selector.js';
import type { VmObject } from './vm-object.js';

/** A parsed filter: conditions that must all hold. */
export type Filter = readonly Condition[];

interface Condition {
  readonly selector: Selector;
  /** The key, and the text that its value must have or pattern that it must match. */
  readonly accepts: (text: string) => boolean;
}

/**
 * Parses `[key, value]` entries, such as those of URLSearchParams. Keys are dotted (selector.ts). A value that begins with `~`
 * is a regular expression (RE2's syntax, case-insensitive, matching anywhere). Matching takes time linear in the text.
 *
 * @throws QueryError that names the keys that are unknown, or whose pattern is not one or is too large.
 */
export function parseFilter(entries: Iterable<readonly [key: string, value: string]>): Filter {
  const list = [...entries];
  const selectors = parseSelectors(list.map(([key]) => key));
  return selectors.flatMap((selector, index) => {
    const [key, value] = list[index] ?? ['', ''];
    return [{ selector, accepts: value.startsWith('~') ? matcher(key, value.slice(1)) : equals(value) }];
  });
}

/**
 * A command line's `key=value` or `key=~regex` as an entry for `parseFilter`.
 *
 * @throws QueryError when there is no `=`.
 */
export function parseEntry(text: string): readonly [key: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw new QueryError(`expected key=value, got ${text}`, [text]);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Whether a VM matches a filter. An absent value matches nothing, nor does an object or array. */
export function matches(filter: Filter, vm: VmObject): boolean {
  return filter.every(({ selector, accepts }) =>
    someValueAt(vm, selector, (value) => isScalar(value) && accepts(String(value))),
  );
}

function isScalar(value: JsonValue): value is string | number | boolean | null {
  return typeof value !== 'object' || value === null;
}

function equals(wanted: string): (text: string) => boolean {
  return (text) => text === wanted;
}

function matcher(key: string, pattern: string): (text: string) => boolean {
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
