/** Which VMs the table shows, in which order. Pure. */
import type { VmObject } from '../../vm/vm-object.js';
import { columnNamed } from './columns.js';
import type { TopModel } from './model.js';

/** The VMs that match the filter, sorted; ties are sorted by zonename, so that no row jumps. */
export function shownVms({
  vms,
  filter,
  sort,
  changed,
  usage,
  now,
}: Pick<TopModel, 'vms' | 'filter' | 'sort' | 'changed' | 'usage' | 'now'>): readonly VmObject[] {
  const { value } = columnNamed(sort.column);
  const sign = sort.descending ? -1 : 1;
  return [...vms.values()]
    .filter(filter.matches)
    .map((vm) => ({
      vm,
      key: value({ vm, now, change: changed.get(vm.zonename), usage: usage[vm.zonename] }),
    }))
    .sort((a, b) => {
      if (a.key === undefined || b.key === undefined) {
        const missing = Number(a.key === undefined) - Number(b.key === undefined);
        return missing === 0 ? ordered(a.vm.zonename, b.vm.zonename) : missing;
      }
      return sign * ordered(a.key, b.key) || ordered(a.vm.zonename, b.vm.zonename);
    })
    .map(({ vm }) => vm);
}

function ordered<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b);
}
