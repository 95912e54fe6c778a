/** How much of a VM's disk space is used, as bars. Pure. */
import { spaceUse, type DatasetUsage } from '../../vm/usage.js';
import type { VmObject } from '../../vm/vm-object.js';

/** A bar: so much of so much, MiB. */
export interface Usage {
  readonly title: string;
  readonly usedMiB: number;
  readonly ofMiB: number;
  /** What it is used by. */
  readonly by: string;
}

export function usagesOf(vm: VmObject, usage: DatasetUsage | undefined): readonly Usage[] {
  const use = spaceUse(vm, usage);
  if (use === undefined) return [];
  const { usedMiB, limitMiB: ofMiB } = use;
  const { hvm, flexible_disk_size: flexible = 0, snapshots = [], disks = [] } = vm;
  if (hvm && flexible > 0) {
    const byDisks = sum(disks.map(({ size }) => size ?? 0));
    return [
      { title: 'flexible_disk_size', usedMiB, ofMiB, by: 'disks and snapshots' },
      { title: 'disks', usedMiB: byDisks, ofMiB, by: `${disks.length} of them` },
    ];
  }
  const bySnapshots = sum(snapshots.map(({ size }) => size));
  const of = snapshots.length === 1 ? '1 snapshot' : `${snapshots.length} snapshots`;
  return [
    { title: 'quota', usedMiB, ofMiB, by: 'data and snapshots' },
    ...(snapshots.length > 0 ? [{ title: 'snapshots', usedMiB: bySnapshots, ofMiB, by: of }] : []),
  ];
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
