/**
 * The filter typed after `/`: conditions as everywhere (`state=running`, `alias~^web`), and bare words that are searched
 * for in a VM's names and addresses. An unfinished or invalid condition is ignored.
 */
import { memoised } from '../../memoised.js';
import { matches, parseConditions, type Filter } from '../../vm/filter.js';
import { QueryError } from '../../vm/selector.js';
import type { VmObject } from '../../vm/vm-object.js';

export interface RowFilter {
  /** As typed. */
  readonly text: string;
  /** The error in one of its conditions. */
  readonly problem: string | undefined;
  readonly matches: (vm: VmObject) => boolean;
}

export const noFilter: RowFilter = { text: '', problem: undefined, matches: () => true };

export function rowFilter(text: string): RowFilter {
  const parts = text.split(/\s+/).filter((part) => part !== '');
  if (parts.length === 0) return { ...noFilter, text };
  const words = parts.filter((part) => !operator.test(part)).map((word) => word.toLowerCase());
  const conditions = parts.filter((part) => operator.test(part) && !unfinished.test(part)).map(parsed);
  const filters = conditions.flatMap(({ filter }) => (filter === undefined ? [] : [filter]));
  return {
    text,
    problem: conditions.find(({ problem }) => problem !== undefined)?.problem,
    matches: remembered(
      (vm) =>
        words.every((word) => names(vm).includes(word)) && filters.every((filter) => matches(filter, vm)),
    ),
  };
}

function parsed(condition: string): { readonly filter?: Filter; readonly problem?: string } {
  try {
    return { filter: parseConditions([condition]) };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { problem: error.message };
  }
}

const operator = /[=~<>]/;
const unfinished = /[=~<>]$/;

/** All names and addresses of a VM, in lower case. */
function names({ alias, uuid, brand, state, nics }: VmObject): string {
  const addresses = nics.map(({ ip }) => ip ?? '');
  return [alias ?? '', uuid, brand, state, ...addresses].join(' ').toLowerCase();
}

/** Evaluated once per version of a VM: a table of a thousand rows is drawn several times a second. */
function remembered(predicate: (vm: VmObject) => boolean): (vm: VmObject) => boolean {
  const known = new WeakMap<VmObject, boolean>();
  return (vm) => memoised(known, vm, predicate);
}
