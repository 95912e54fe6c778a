/** The events that lead from the VMs that were known to those of a new snapshot. */
import type { VmEvent } from '../vm/event.js';
import { diff } from '../vm/diff.js';
import type { VmObject } from '../vm/vm-object.js';

/** @param date ISO, for every event: when the snapshot was made. */
export function differences(
  known: ReadonlyMap<string, VmObject>,
  vms: readonly VmObject[],
  date: string,
): VmEvent[] {
  const present = new Set(vms.map((vm) => vm.zonename));
  const gone = [...known.values()].filter((vm) => !present.has(vm.zonename));
  return [
    ...gone.map(({ zonename, uuid }): VmEvent => ({ type: 'delete', date, zonename, uuid })),
    ...vms.flatMap((vm) => whatHappened(known.get(vm.zonename), vm, date)),
  ];
}

function whatHappened(old: VmObject | undefined, vm: VmObject, date: string): VmEvent[] {
  const { zonename, uuid } = vm;
  if (!old) return [{ type: 'create', date, zonename, uuid, vm }];
  const changes = diff(old, vm);
  return changes.length > 0 ? [{ type: 'modify', date, zonename, uuid, vm, changes }] : [];
}
