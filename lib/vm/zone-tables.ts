/**
 * Which names of the zone XML (zonecfg's DTD) become which properties of a VM object, and of what type.
 * A row is [property, type]; `leftOut` says that a name is known and has no property. To add a property: a row here,
 * its line in vm-object.ts, and its name in vm-properties.ts (the compiler and a test ask for the latter two).
 */
import type { ValueType, ValueTypes } from './value-types.js';

type Row = readonly [property: string, type: ValueType] | typeof leftOut;

/** A table: name in the XML → property and type. */
export type Table = Readonly<Record<string, Row>>;

/** The result of reading by a table: each of its properties that the XML has. */
export type FromTable<T extends Table> = {
  readonly [
    Name in keyof T as T[Name] extends readonly [infer Property extends string, ValueType] ? Property : never
  ]?: T[Name] extends readonly [string, infer Type extends ValueType] ? ValueTypes[Type] : never;
};

const leftOut = null;

/** Attributes of `<zone>`. */
export const zoneTable = {
  name: ['zonename', 'string'],
  brand: ['brand', 'string'],
  autoboot: ['autoboot', 'boolean'],
  limitpriv: ['limit_priv', 'string'],
  'fs-allowed': ['fs_allowed', 'string'],
  zonepath: leftOut,
  'ip-type': leftOut,
  debugid: leftOut,
} as const satisfies Table;

/** `<attr name= value=>`. */
export const attrTable = {
  'vm-version': ['v', 'number'],
  alias: ['alias', 'base64'],
  hostname: ['hostname', 'string'],
  'dns-domain': ['dns_domain', 'string'],
  'default-gateway': ['default_gateway', 'string'],
  resolvers: ['resolvers', 'list'],
  'maintain-resolvers': ['maintain_resolvers', 'boolean'],
  'firewall-enabled': ['firewall_enabled', 'boolean'],
  'owner-uuid': ['owner_uuid', 'string'],
  'billing-id': ['billing_id', 'string'],
  'package-name': ['package_name', 'string'],
  'package-version': ['package_version', 'string'],
  'dataset-uuid': ['image_uuid', 'string'],
  'create-timestamp': ['create_timestamp', 'string'],
  failed: ['failed', 'string'],
  transition: ['transition', 'string'],
  provisioning: ['provisioning', 'boolean'],
  'internal-metadata-namespaces': ['internal_metadata_namespaces', 'list'],
  'app-svc-dependent': ['app_svc_dependent', 'boolean'],
  'archive-on-delete': ['archive_on_delete', 'boolean'],
  'do-not-inventory': ['do_not_inventory', 'boolean'],
  docker: ['docker', 'boolean'],
  'init-name': ['init_name', 'string'],
  'restart-init': ['restart_init', 'boolean'],
  'kernel-version': ['kernel_version', 'string'],
  'zlog-mode': ['zlog_mode', 'string'],
  'zlog-name': ['zlog_name', 'string'],
  'zlog-max-size': ['zlog_max_size', 'number'],
  tmpfs: ['tmpfs', 'number'],
  'vm-autoboot': ['vm_autoboot', 'boolean'],
  ram: ['ram', 'number'],
  vcpus: ['vcpus', 'number'],
  'cpu-type': ['cpu_type', 'string'],
  boot: ['boot', 'string'],
  bootrom: ['bootrom', 'string'],
  com1: ['com1', 'string'],
  com2: ['com2', 'string'],
  vga: ['vga', 'string'],
  'disk-driver': ['disk_driver', 'string'],
  'nic-driver': ['nic_driver', 'string'],
  'bhyve-extra-opts': ['bhyve_extra_opts', 'string'],
  'qemu-opts': ['qemu_opts', 'base64'],
  'qemu-extra-opts': ['qemu_extra_opts', 'base64'],
  'spice-opts': ['spice_opts', 'base64'],
  'spice-password': ['spice_password', 'base64'],
  'spice-port': ['spice_port', 'number'],
  'vnc-password': ['vnc_password', 'base64'],
  'vnc-port': ['vnc_port', 'number'],
  'virtio-txburst': ['virtio_txburst', 'number'],
  'virtio-txtimer': ['virtio_txtimer', 'number'],
  'flexible-disk-size': ['flexible_disk_size', 'number'],
} as const satisfies Table;

/** `<rctl name=>` with `<rctl-value priv= limit= action=>`, as `<name> <priv>.<action>`. */
export const rctlTable = {
  'zone.cpu-cap privileged.deny': ['cpu_cap', 'number'],
  'zone.cpu-shares privileged.none': ['cpu_shares', 'number'],
  'zone.zfs-io-priority privileged.none': ['zfs_io_priority', 'number'],
  'zone.max-lwps privileged.deny': ['max_lwps', 'number'],
  'zone.max-msg-ids privileged.deny': ['max_msg_ids', 'number'],
  'zone.max-sem-ids privileged.deny': ['max_sem_ids', 'number'],
  'zone.max-shm-ids privileged.deny': ['max_shm_ids', 'number'],
  'zone.max-locked-memory privileged.deny': ['max_locked_memory', 'MiB'],
  'zone.max-physical-memory privileged.deny': ['max_physical_memory', 'MiB'],
  'zone.max-shm-memory privileged.deny': ['max_shm_memory', 'MiB'],
  'zone.max-swap privileged.deny': ['max_swap', 'MiB'],
} as const satisfies Table;

/** Attributes of `<network>`. */
export const networkTable = {
  physical: ['interface', 'string'],
  'mac-addr': ['mac', 'string'],
  'vlan-id': ['vlan_id', 'number'],
  'global-nic': ['nic_tag', 'string'],
  'allowed-address': leftOut,
} as const satisfies Table;

/** `<net-attr name= value=>` under `<network>`. */
export const networkAttrTable = {
  gateway: ['gateway', 'string'],
  gateways: ['gateways', 'list'],
  ip: ['ip', 'string'],
  ips: ['ips', 'list'],
  netmask: ['netmask', 'string'],
  network_uuid: ['network_uuid', 'string'],
  model: ['model', 'string'],
  mtu: ['mtu', 'number'],
  primary: ['primary', 'boolean'],
  dhcp_server: ['dhcp_server', 'boolean'],
  allow_dhcp_spoofing: ['allow_dhcp_spoofing', 'boolean'],
  allow_ip_spoofing: ['allow_ip_spoofing', 'boolean'],
  allow_mac_spoofing: ['allow_mac_spoofing', 'boolean'],
  allow_restricted_traffic: ['allow_restricted_traffic', 'boolean'],
  allow_unfiltered_promisc: ['allow_unfiltered_promisc', 'boolean'],
  allowed_ips: ['allowed_ips', 'list'],
  allowed_dhcp_cids: ['allowed_dhcp_cids', 'list'],
  blocked_outgoing_ports: ['blocked_outgoing_ports', 'numbers'],
  vrrp_primary_ip: ['vrrp_primary_ip', 'string'],
  vrrp_vrid: ['vrrp_vrid', 'number'],
} as const satisfies Table;

/** Attributes of `<device>`. */
export const deviceTable = {
  match: ['path', 'string'],
} as const satisfies Table;

/** `<net-attr name= value=>` under `<device>`. */
export const deviceAttrTable = {
  boot: ['boot', 'boolean'],
  notrim: ['notrim', 'boolean'],
  model: ['model', 'string'],
  media: ['media', 'string'],
  uuid: ['uuid', 'string'],
  'pci-slot': ['pci_slot', 'string'],
  'image-uuid': ['image_uuid', 'string'],
  'image-size': ['image_size', 'number'],
  'guest-block-size': ['guest_block_size', 'string'],
  'image-name': leftOut,
  size: leftOut,
} as const satisfies Table;

/** Attributes of `<filesystem>`; its `<fsoption>`s become `options`. */
export const filesystemTable = {
  special: ['source', 'string'],
  raw: ['raw', 'string'],
  directory: ['target', 'string'],
  type: ['type', 'string'],
} as const satisfies Table;

/** Attributes of `<dataset>`. */
export const datasetTable = {
  name: ['name', 'string'],
} as const satisfies Table;
