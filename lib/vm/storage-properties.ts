import type { VmProperty } from './vm-object.js';

/** Properties that say what a VM uses of the pool, in the order in which people look for them. For views. */
export const storageProperties = [
  'quota',
  'flexible_disk_size',
  'free_space',
  'zpool',
  'zfs_filesystem',
  'datasets',
  'zfs_root_compression',
  'zfs_root_recsize',
  'zfs_data_compression',
  'zfs_data_recsize',
  'zfs_filesystem_limit',
  'zfs_snapshot_limit',
] as const satisfies readonly VmProperty[];
