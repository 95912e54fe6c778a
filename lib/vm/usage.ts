/**
 * How much of its disk space a VM has used. The VM object does not tell: it changes with every write, and nothing
 * announces it. So it is read when someone asks (`GET /usage`), and joined with the VM's quota here. Pure.
 */
import type { VmObject } from './vm-object.js';

/** What the dataset of a VM takes, MiB. */
export interface DatasetUsage {
  /** With its snapshots and all datasets below it: what counts towards a quota. */
  readonly used: number;
  /** Without these: what counts towards a refquota. */
  readonly referenced: number;
}

/** The answer to `/usage`. */
export interface UsageReport {
  /** When it was read. */
  readonly date: string;
  /** By zonename. VMs whose dataset was not listed are absent. */
  readonly vms: Readonly<Record<string, DatasetUsage>>;
}

/** So much of so much, MiB. */
export interface SpaceUse {
  readonly usedMiB: number;
  readonly limitMiB: number;
}

/**
 * How much of its disk space a VM has used; undefined when it has no limit, or it is not known.
 *
 * A hardware VM with a flexible_disk_size gives that to its disks and their snapshots, and its object says what is left.
 * Any other VM has a quota. That of a hardware VM is for its zone's own files, whatever its disks and snapshots take.
 */
export function spaceUse(
  { hvm, quota = 0, flexible_disk_size: flexible = 0, free_space: free }: VmObject,
  usage: DatasetUsage | undefined,
): SpaceUse | undefined {
  if (hvm && flexible > 0)
    return free === undefined ? undefined : { usedMiB: flexible - free, limitMiB: flexible };
  if (quota === 0 || usage === undefined) return undefined;
  return { usedMiB: hvm ? usage.referenced : usage.used, limitMiB: quota * 1024 };
}

/** From 0 to 1; more when a limit was set below what is used already. */
export function shareOf({ usedMiB, limitMiB }: SpaceUse): number {
  return usedMiB / limitMiB;
}

/** The share from which on a VM is nearly full, which views mark: there is still time to act. */
export const nearlyFull = 0.9;
