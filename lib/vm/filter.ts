/**
 * Filters over VMs, as `vmadm lookup key=value …` has them and more: `state!=running`, `alias~^web`, `ram>=2g`. This module
 * brings RE2 for `~`; conditions.ts is all the rest, for who has no RE2 at hand.
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
 * Parses conditions as one types them: `ram>=2g`, `state!=running`.
 *
 * @throws QueryError as parseFilter does, and for what has no operator.
 */
export function parseConditions(conditions: readonly string[]): Filter {
  return parseConditionsWith(compilePattern, conditions);
}
