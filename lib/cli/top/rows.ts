/** Which VMs the table shows, in which order. Pure. */
import { vmKey } from '../../vm/vm-key.js';
import type { VmObject } from '../../vm/vm-object.js';
import { columnNamed } from './columns.js';
import type { TopModel } from './model.js';

/** The VMs that match the filter, sorted; ties are sorted by key, so that no row jumps. */
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
      key: value({ vm, now, change: changed.get(vmKey(vm)), usage: usage[vm.zonename] }),
    }))
    .sort((a, b) => {
      if (a.key === undefined || b.key === undefined) {
        const missing = Number(a.key === undefined) - Number(b.key === undefined);
        return missing === 0 ? ordered(vmKey(a.vm), vmKey(b.vm)) : missing;
      }
      return sign * ordered(a.key, b.key) || ordered(vmKey(a.vm), vmKey(b.vm));
    })
    .map(({ vm }) => vm);
}

function ordered<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b);
}
