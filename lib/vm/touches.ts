/** Whether a change concerns something that was asked for: `state`, `nics.ip`, `tags.role`. */
import type { Path } from './path.js';
import { parseSelectors, type Selector } from './selector.js';

/**
 * Parses a comma-separated list of dotted keys (selector.ts) for `touches`.
 *
 * @throws QueryError that names the unknown ones.
 */
export function parsePaths(text: string): readonly Selector[] {
  return parseSelectors(text.split(',')).flatMap((selector) => [selector, ...(madeOf[selector[0]] ?? [])]);
}

/**
 * Whether a change at `path` touches what one of the keys names: the change is there, below it, or above it (a nic that
 * is added touches `nics.ip`). Elements of arrays are not distinguished: a change does not say at which index it is.
 */
export function touches(keys: readonly Selector[], path: Path): boolean {
  const changed = withoutElements(path);
  return keys.some((selector) => {
    const wanted = withoutElements(selector);
    return changed.startsWith(wanted) || wanted.startsWith(changed);
  });
}

/** Fields that are not always properties of a VM, and the properties that they are derived from. */
const madeOf: Readonly<Record<string, readonly Selector[]>> = {
  type: [['brand']],
  ram: [['max_physical_memory']],
};

/** Joined to one text, because a key may contain dots itself: `tags.triton.cns.services` is one key of tags. */
function withoutElements(path: readonly (string | null)[]): string {
  const keys = path.filter(
    (key, index) => key !== null && key !== '*' && (index === 0 || !/^\d+$/.test(key)),
  );
  return `${keys.join('.')}.`;
}
