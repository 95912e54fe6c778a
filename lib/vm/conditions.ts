/**
 * The conditions of a filter: `<key><operator><value>`, where the key is dotted (selector.ts).
 *
 * - `=` and `!=` compare as text; sizes may have a unit: `ram=2g`.
 * - `~` (also `=~`) and `!~` match a regular expression, ignoring case, anywhere in the text.
 * - `<`, `<=`, `>`, `>=` compare numbers (`ram>=2g`, `quota<20`) and times: ISO (`2026-11-27`), or an age that
 *   begins with a minus: `exit_timestamp>-1h` is within the last hour.
 *
 * Where a key stands for several values, one has to match. An absent value matches only `!=` and `!~`: these are the
 * opposite of `=` and `~`. Pure; the compiler of regular expressions is passed in.
 */
import { isJsonObject, isJsonArray, type JsonValue } from './json.js';
import { parseSelectors, QueryError, someValueAt, type Selector } from './selector.js';
import { parseQuantity, unitOf } from './units.js';
import type { VmObject } from './vm-object.js';

/** A parsed filter: conditions that must all hold. */
export type Filter = readonly Condition[];

/** Compiles a regular expression. @throws QueryError that names the key. */
export type PatternCompiler = (key: string, pattern: string) => (text: string) => boolean;

interface Condition {
  readonly selector: Selector;
  /** Whether the condition holds when no value is accepted, rather than when at least one is. */
  readonly negated: boolean;
  readonly accepts: (value: Scalar) => boolean;
}

type Scalar = string | number | boolean | null;

/** Whether a VM matches a filter. Objects and arrays match nothing. */
export function matches(filter: Filter, vm: VmObject): boolean {
  return filter.every(
    ({ selector, negated, accepts }) =>
      someValueAt(vm, selector, (value) => isScalar(value) && accepts(value)) !== negated,
  );
}

/**
 * Parses conditions; `compile` compiles regular expressions.
 *
 * @throws QueryError that names the keys that are unknown, or whose value is not one to compare with.
 */
export function parseConditionsWith(compile: PatternCompiler, conditions: readonly string[]): Filter {
  const parts = conditions.map(split);
  const selectors = parseSelectors(parts.map(({ key }) => key));
  return parts.flatMap((part, index) => {
    const selector = selectors[index];
    return selector === undefined ? [] : [toCheck(selector, part, compile)];
  });
}

/**
 * A condition of a command line as an entry of a URL's query.
 *
 * @throws QueryError when there is no operator.
 */
export function parseEntry(condition: string): readonly [key: string, value: string] {
  const { key, operator, value } = split(condition);
  if (key === '') throw malformed(condition);
  if (operator === '=') return [key, value];
  return operator === '~' ? [key, `~${value}`] : [condition, ''];
}

/** An entry of a URL's query as a condition: there `ram>=2g` comes as `ram>` and `2g`, and `ram>2g` is all key. */
export function toCondition([key, value]: readonly [key: string, value: string]): string {
  if (key.endsWith('!')) return `${key}=${value}`;
  if (value === '') return operators.test(key) ? key : `${key}=`;
  return key.endsWith('=') ? `${key}${value}` : `${key}=${value}`;
}

type Operator = '=' | '!=' | '~' | '!~' | '<' | '<=' | '>' | '>=';

interface Parts {
  readonly key: string;
  readonly operator: Operator;
  readonly value: string;
}

const operators = /=~|!=|!~|<=|>=|[=~<>]/;

function split(condition: string): Parts {
  const at = operators.exec(condition);
  if (!at) throw malformed(condition);
  return {
    key: condition.slice(0, at.index),
    operator: at[0] === '=~' ? '~' : (at[0] as Operator),
    value: condition.slice(at.index + at[0].length),
  };
}

function malformed(condition: string): QueryError {
  const message = `expected <field><operator><value>, such as state=running or ram>=2g; got ${condition}`;
  return new QueryError(message, [condition]);
}

function toCheck(selector: Selector, { key, operator, value }: Parts, compile: PatternCompiler): Condition {
  switch (operator) {
    case '=':
    case '!=':
      return { selector, negated: operator === '!=', accepts: equals(selector, value) };
    case '~':
    case '!~': {
      const test = compile(key, value);
      return { selector, negated: operator === '!~', accepts: (each) => test(String(each)) };
    }
    default:
      return { selector, negated: false, accepts: compares(selector, { key, operator, value }) };
  }
}

function equals(selector: Selector, wanted: string): (value: Scalar) => boolean {
  const quantity = /[a-z]$/i.test(wanted) ? parseQuantity(wanted, unitOf(selector)) : undefined;
  return (value) => String(value) === wanted || (quantity !== undefined && value === quantity);
}

function compares(selector: Selector, { key, operator, value }: Parts): (value: Scalar) => boolean {
  const unit = unitOf(selector);
  const number = parseQuantity(value, unit);
  const holds = comparisons[operator as keyof typeof comparisons];
  if (number !== undefined) {
    return (each) => {
      const own = toNumber(each);
      return own !== undefined && holds(own, number);
    };
  }
  const time = parseTime(value);
  if (time === undefined) {
    const units = unit === undefined ? '' : `, perhaps with a unit (512m, 2g; without: ${unit})`;
    throw new QueryError(
      `${key}: expected a number${units}, or a time (2026-11-27, -1h); got ${JSON.stringify(value)}`,
      [key],
    );
  }
  return (each) => {
    const own = typeof each === 'string' && /^\d{4}-\d\d-\d\d/.test(each) ? Date.parse(each) : NaN;
    return !Number.isNaN(own) && holds(own, time);
  };
}

const comparisons = {
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
} as const;

/** A tag may hold a number as text. */
function toNumber(value: Scalar): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' ? parseQuantity(value, undefined) : undefined;
}

const secondsIn: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Milliseconds since the epoch: of a date, or of an age counted from now. */
function parseTime(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^-(\d+)([smhdw])$/.exec(text) ?? [];
  if (digits !== '') return Date.now() - Number(digits) * (secondsIn[unit] ?? 0) * 1000;
  const time = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : time;
}

function isScalar(value: JsonValue): value is Scalar {
  return !isJsonObject(value) && !isJsonArray(value);
}
