/**
 * Compares two views of the same VMs, and describes the differences readably.
 */
import { isDeepStrictEqual } from 'node:util';
import { diff } from '../../lib/vm/diff.js';
import type { VmObject } from '../../lib/vm/vm-object.js';

/** The VMs by zonename. */
export type Vms = ReadonlyMap<string, VmObject>;

/** A VM in which two views differ. */
export interface Difference {
  readonly zonename: string;
  /** One line for each differing property. */
  readonly lines: readonly string[];
}

/** VMs as a map. Throws when a zonename is there twice. */
export function byZonename(vms: readonly VmObject[]): Vms {
  const map = new Map(vms.map((vm) => [vm.zonename, vm]));
  if (map.size !== vms.length) throw new Error(`${vms.length} VMs have ${map.size} zonenames`);
  return map;
}

/** The differences between `actual` and `expected`. Empty when both are deeply equal, including the order of arrays. */
export function differences(actual: Vms, expected: Vms): readonly Difference[] {
  return [...new Set([...actual.keys(), ...expected.keys()])].flatMap((zonename) => {
    const [is, should] = [actual.get(zonename), expected.get(zonename)];
    if (is === undefined) return [{ zonename, lines: ['is missing'] }];
    if (should === undefined) return [{ zonename, lines: ['should not be there'] }];
    if (isDeepStrictEqual(is, should)) return [];
    const lines = diff(is, should).map(
      ({ prettyPath, ident, oldValue, newValue }) =>
        `${prettyPath}${ident === undefined ? '' : ` (${ident})`}: is ${text(oldValue)}, should be ${text(newValue)}`,
    );
    return [{ zonename, lines: lines.length > 0 ? lines : ['differs in the order of something'] }];
  });
}

function text(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 200);
}
