/** How much of a VM's room is taken, as far as its object says. Pure. */
import type { VmObject } from '../../vm/vm-object.js';

/** A bar: so much of so much, MiB. */
export interface Usage {
  readonly title: string;
  readonly usedMiB: number;
  readonly ofMiB: number;
  /** What it is taken by. */
  readonly by: string;
}

export function usagesOf(vm: VmObject): readonly Usage[] {
  const { quota = 0, flexible_disk_size: flexible, free_space: free = 0, snapshots = [], disks = [] } = vm;
  const bySnapshots = sum(snapshots.map(({ size }) => size));
  const byDisks = sum(disks.map(({ size }) => size ?? 0));
  const usages: Usage[] = [];
  if (flexible !== undefined && flexible > 0) {
    const title = 'flexible_disk_size';
    usages.push({ title, usedMiB: flexible - free, ofMiB: flexible, by: 'disks and snapshots' });
    usages.push({ title: 'disks', usedMiB: byDisks, ofMiB: flexible, by: `${disks.length} of them` });
  }
  if (quota > 0 && flexible === undefined) {
    const by = snapshots.length === 1 ? '1 snapshot' : `${snapshots.length} snapshots`;
    usages.push({ title: 'quota', usedMiB: bySnapshots, ofMiB: quota * 1024, by });
  }
  return usages;
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
