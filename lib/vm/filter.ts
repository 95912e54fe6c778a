/**
 * Filters over VMs, like `vmadm lookup key=value …` and more: `state!=running`, `alias~^web`, `ram>=2g`. This module adds
 * RE2 for `~`; conditions.ts does the rest, for code without RE2, such as the page.
 */
import { parseConditionsWith, toCondition, type Filter } from './conditions.js';
import { compilePattern } from './pattern.js';

export { matches, parseEntry, type Filter } from './conditions.js';

/**
 * Parses `[key, value]` entries, such as those of URLSearchParams: `?ram>=2g&state!=running`.
 *
 * @throws QueryError that names the keys that are unknown, or whose value is not one to compare with.
 */
export function parseFilter(entries: Iterable<readonly [key: string, value: string]>): Filter {
  return parseConditionsWith(compilePattern, [...entries].map(toCondition));
}

/**
 * Parses conditions as typed: `ram>=2g`, `state!=running`.
 *
 * @throws QueryError as parseFilter does, and for what has no operator.
 */
export function parseConditions(conditions: readonly string[]): Filter {
  return parseConditionsWith(compilePattern, conditions);
}
