/**
 * What one types after `/`: conditions as everywhere (`state=running`, `alias~^web`), and bare words that are looked for in
 * what names a VM. While a condition is not finished the last one that was goes on.
 */
import { matches, parseConditions } from '../../vm/filter.js';
import { QueryError } from '../../vm/selector.js';
import type { VmObject } from '../../vm/vm-object.js';

export interface RowFilter {
  /** As typed. */
  readonly text: string;
  /** What is wrong with it as it stands. */
  readonly problem: string | undefined;
  readonly matches: (vm: VmObject) => boolean;
}

export const noFilter: RowFilter = { text: '', problem: undefined, matches: () => true };

/** A filter for what is typed; `before` is the one that holds on while the text is not one. */
export function rowFilter(text: string, before: RowFilter): RowFilter {
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (parts.length === 0) return { ...noFilter, text };
  const words = parts.filter((part) => !operator.test(part)).map((word) => word.toLowerCase());
  try {
    const filter = parseConditions(parts.filter((part) => operator.test(part)));
    return {
      text,
      problem: undefined,
      matches: remembered((vm) => words.every((word) => names(vm).includes(word)) && matches(filter, vm)),
    };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { text, problem: error.message, matches: before.matches };
  }
}

const operator = /[=~<>]/;

/** All that names a VM, in lower case. */
function names({ alias, uuid, brand, state, nics }: VmObject): string {
  const addresses = nics.map(({ ip }) => ip ?? '');
  return [alias ?? '', uuid, brand, state, ...addresses].join(' ').toLowerCase();
}

/** Asks once for each version of a VM: a table of a thousand rows is drawn several times a second. */
function remembered(predicate: (vm: VmObject) => boolean): (vm: VmObject) => boolean {
  const known = new WeakMap<VmObject, boolean>();
  return (vm) => {
    const before = known.get(vm);
    if (before !== undefined) return before;
    const answer = predicate(vm);
    known.set(vm, answer);
    return answer;
  };
}
