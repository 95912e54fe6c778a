/** The names of a VM object's properties at run time: what filters, fields and columns may name. */
import type { VmObject, VmProperty } from './vm-object.js';

/** Property names of VM objects, in alphabetical order. */
export const vmProperties: readonly VmProperty[] = Object.keys({
  alias: true,
  app_svc_dependent: true,
  archive_on_delete: true,
  autoboot: true,
  bhyve_extra_opts: true,
  billing_id: true,
  boot: true,
  boot_timestamp: true,
  bootrom: true,
  brand: true,
  com1: true,
  com2: true,
  cpu_cap: true,
  cpu_shares: true,
  cpu_type: true,
  create_timestamp: true,
  customer_metadata: true,
  datacenter_name: true,
  datasets: true,
  default_gateway: true,
  disk_driver: true,
  disks: true,
  dns_domain: true,
  do_not_inventory: true,
  docker: true,
  exit_status: true,
  exit_timestamp: true,
  failed: true,
  filesystems: true,
  firewall_enabled: true,
  flexible_disk_size: true,
  free_space: true,
  fs_allowed: true,
  headnode_id: true,
  hostname: true,
  hvm: true,
  image_uuid: true,
  indestructible_delegated: true,
  indestructible_zoneroot: true,
  init_name: true,
  init_restarts: true,
  internal_metadata: true,
  internal_metadata_namespaces: true,
  kernel_version: true,
  last_modified: true,
  limit_priv: true,
  maintain_resolvers: true,
  max_locked_memory: true,
  max_lwps: true,
  max_msg_ids: true,
  max_physical_memory: true,
  max_sem_ids: true,
  max_shm_ids: true,
  max_shm_memory: true,
  max_swap: true,
  missing: true,
  nic_driver: true,
  nics: true,
  owner_uuid: true,
  package_name: true,
  package_version: true,
  pci_devices: true,
  pid: true,
  platform_buildstamp: true,
  provisioning: true,
  qemu_extra_opts: true,
  qemu_opts: true,
  quota: true,
  ram: true,
  resolvers: true,
  restart_init: true,
  routes: true,
  server_uuid: true,
  snapshots: true,
  spice_opts: true,
  spice_password: true,
  spice_port: true,
  state: true,
  tags: true,
  tmpfs: true,
  transition: true,
  transition_expire: true,
  transition_to: true,
  uuid: true,
  v: true,
  vcpus: true,
  vga: true,
  virtio_txburst: true,
  virtio_txtimer: true,
  vm_autoboot: true,
  vnc_password: true,
  vnc_port: true,
  zfs_data_compression: true,
  zfs_data_recsize: true,
  zfs_filesystem: true,
  zfs_filesystem_limit: true,
  zfs_io_priority: true,
  zfs_root_compression: true,
  zfs_root_recsize: true,
  zfs_snapshot_limit: true,
  zlog_max_size: true,
  zlog_mode: true,
  zlog_name: true,
  zone_state: true,
  zonedid: true,
  zoneid: true,
  zonename: true,
  zonepath: true,
  zpool: true,
} satisfies Record<VmProperty, true>) as VmProperty[];

/** vmadm's name for the kind of VM. */
export type VmType = 'OS' | 'LX' | 'KVM' | 'BHYV';

/** The kind of a VM, by its brand. */
export function typeOf({ brand }: Pick<VmObject, 'brand'>): VmType {
  switch (brand) {
    case 'bhyve':
      return 'BHYV';
    case 'kvm':
      return 'KVM';
    case 'lx':
      return 'LX';
    default:
      return 'OS';
  }
}

/** The memory that vmadm shows, MiB: what the guest sees of a hardware virtual machine, the cap of any other zone. */
export function ramOf(vm: Pick<VmObject, 'hvm' | 'ram' | 'max_physical_memory'>): number | undefined {
  return vm.hvm ? vm.ram : vm.max_physical_memory;
}
