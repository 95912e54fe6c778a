/**
 * The VM object: what vmadm and the platform's agents read. Property names, types and units are an interface. Optional
 * properties without a value are absent, never null or undefined.
 */
import type { JsonObject } from './json.js';

/** A boolean of the zone XML: any text but `true` and `false` is kept as it is. */
export type XmlBoolean = boolean | string;

/** A virtual network interface: `<network>`. */
export interface Nic {
  /** `net0`, `net1`, … inside the zone; nics are sorted by the number. */
  readonly interface?: string;
  readonly mac?: string;
  readonly vlan_id?: number;
  readonly nic_tag?: string;
  readonly gateway?: string;
  readonly gateways?: readonly string[];
  /** The first address, or `dhcp`. */
  readonly ip?: string;
  /** Addresses with prefix length, `dhcp` or `addrconf`. */
  readonly ips?: readonly string[];
  readonly netmask?: string;
  readonly network_uuid?: string;
  readonly model?: string;
  /** Bytes. */
  readonly mtu?: number;
  readonly primary?: XmlBoolean;
  readonly dhcp_server?: XmlBoolean;
  readonly allow_dhcp_spoofing?: XmlBoolean;
  readonly allow_ip_spoofing?: XmlBoolean;
  readonly allow_mac_spoofing?: XmlBoolean;
  readonly allow_restricted_traffic?: XmlBoolean;
  readonly allow_unfiltered_promisc?: XmlBoolean;
  readonly allowed_ips?: readonly string[];
  readonly allowed_dhcp_cids?: readonly string[];
  /** Port numbers. */
  readonly blocked_outgoing_ports?: readonly number[];
  readonly vrrp_primary_ip?: string;
  readonly vrrp_vrid?: number;
}

/** A device as the zone XML has it. */
export interface Device {
  /** The device node, e.g. `/dev/zvol/rdsk/zones/<uuid>/disk0`. */
  readonly path?: string;
  readonly boot?: XmlBoolean;
  /** The guest's TRIM requests are not passed on. */
  readonly notrim?: XmlBoolean;
  readonly model?: string;
  readonly media?: string;
  readonly uuid?: string;
  readonly pci_slot?: string;
  readonly image_uuid?: string;
  /** MiB. */
  readonly image_size?: number;
  /** `logical/physical` sector size in bytes, as text. */
  readonly guest_block_size?: string;
}

/** A host device given to the guest: a device with model `passthru`. */
export type PciDevice = Device;

/** A disk: a device, and what ZFS knows of its volume. */
export interface Disk extends Device {
  /** The volume's name. */
  readonly zfs_filesystem?: string;
  readonly zpool?: string;
  /** MiB. */
  readonly size?: number;
  readonly compression?: string;
  /** MiB, rounded up. */
  readonly refreservation?: number;
  /** Bytes. */
  readonly block_size?: number;
  /** No such volume is known. */
  readonly missing?: true;
}

/** A filesystem of the global zone that the zone mounts. */
export interface Filesystem {
  readonly source?: string;
  /** The raw device of `source`. */
  readonly raw?: string;
  readonly target?: string;
  readonly type?: string;
  /** Absent when there are none. */
  readonly options?: readonly string[];
}

/** A snapshot that vmadm made: `<dataset>@vmsnap-<name>`. */
export interface Snapshot {
  readonly name: string;
  /** MiB written. */
  readonly size: number;
  /** ISO. */
  readonly created_at?: string;
}

/** What a zone that is being received still lacks. */
export interface Missing {
  readonly datasets: readonly string[];
  /** Paths. */
  readonly disks: readonly string[];
  /** Sources. */
  readonly filesystems: readonly string[];
}

/** One zone, assembled. */
export interface VmObject {
  // Identity and state
  readonly zonename: string;
  readonly uuid: string;
  readonly brand: string;
  readonly zonepath?: string;
  /** `running`, `stopped`, `provisioning`, `failed`, `receiving`, …: zone_state in an operator's terms. */
  readonly state: string;
  /** The state that zoneadm shows: `installed`, `running`, … */
  readonly zone_state: string;
  /** Kernel zone id; null when the zone is not running. */
  readonly zoneid: number | null;
  /** Debug id. */
  readonly zonedid?: number;
  /** Whether it runs in a hypervisor: brand bhyve or kvm. */
  readonly hvm: boolean;
  /** The state after a transition. */
  readonly transition_to?: string;
  /** When the transition is given up; as vmadm wrote it, milliseconds since the epoch. */
  readonly transition_expire?: number;
  /** A transition that is not `state:to:expire`, unparsed. */
  readonly transition?: string;
  /** Why, or in what, it failed; with it the state is `failed`. */
  readonly failed?: string;
  readonly provisioning?: XmlBoolean;

  // Zone configuration
  readonly autoboot?: XmlBoolean;
  /** For brand kvm it becomes `autoboot`. */
  readonly vm_autoboot?: XmlBoolean;
  readonly limit_priv?: string;
  readonly fs_allowed?: string;
  readonly alias?: string;
  readonly hostname?: string;
  readonly dns_domain?: string;
  readonly default_gateway?: string;
  readonly resolvers: readonly string[];
  readonly maintain_resolvers?: XmlBoolean;
  readonly firewall_enabled: XmlBoolean;
  readonly owner_uuid?: string;
  readonly billing_id?: string;
  readonly package_name?: string;
  readonly package_version?: string;
  readonly image_uuid?: string;
  readonly create_timestamp?: string;
  /** The version of the VM object's format. */
  readonly v?: number;
  readonly internal_metadata_namespaces?: readonly string[];
  readonly app_svc_dependent?: XmlBoolean;
  readonly archive_on_delete?: XmlBoolean;
  readonly do_not_inventory?: XmlBoolean;
  readonly docker?: XmlBoolean;
  readonly init_name?: string;
  readonly restart_init?: XmlBoolean;
  readonly kernel_version?: string;
  readonly zlog_mode?: string;
  readonly zlog_name?: string;
  /** Bytes. */
  readonly zlog_max_size?: number;
  /** MiB. */
  readonly tmpfs?: number;

  // Hardware virtual machines
  /** MiB the guest sees. */
  readonly ram?: number;
  readonly vcpus?: number;
  readonly cpu_type?: string;
  readonly boot?: string;
  readonly bootrom?: string;
  readonly com1?: string;
  readonly com2?: string;
  readonly vga?: string;
  readonly disk_driver?: string;
  readonly nic_driver?: string;
  readonly bhyve_extra_opts?: string;
  readonly qemu_opts?: string;
  readonly qemu_extra_opts?: string;
  readonly spice_opts?: string;
  readonly spice_password?: string;
  readonly spice_port?: number;
  readonly vnc_password?: string;
  readonly vnc_port?: number;
  readonly virtio_txburst?: number;
  /** Nanoseconds. */
  readonly virtio_txtimer?: number;
  /** MiB for the disks and their snapshots together. */
  readonly flexible_disk_size?: number;
  /** MiB of flexible_disk_size that neither disks nor snapshots take, rounded down. */
  readonly free_space?: number;

  // Resource limits
  /** Percent of one CPU. */
  readonly cpu_cap?: number;
  readonly cpu_shares?: number;
  readonly zfs_io_priority?: number;
  readonly max_lwps?: number;
  readonly max_msg_ids?: number;
  readonly max_sem_ids?: number;
  readonly max_shm_ids?: number;
  /** MiB. */
  readonly max_locked_memory?: number;
  /** MiB. */
  readonly max_physical_memory?: number;
  /** MiB. */
  readonly max_shm_memory?: number;
  /** MiB. */
  readonly max_swap?: number;

  // Devices, networks and filesystems
  readonly nics: readonly Nic[];
  /** Always there for brands bhyve and kvm. */
  readonly disks?: readonly Disk[];
  readonly pci_devices?: readonly PciDevice[];
  readonly filesystems?: readonly Filesystem[];
  /** Delegated datasets, by name. */
  readonly datasets?: readonly string[];

  // Files of the zone
  readonly customer_metadata: JsonObject;
  readonly internal_metadata: JsonObject;
  readonly tags: JsonObject;
  readonly routes: JsonObject;
  /** The newest change of the zone's files; ISO, whole seconds. */
  readonly last_modified: string;
  /** Of the last halt; while not running. Negative: the signal. */
  readonly exit_status?: number;
  /** ISO. */
  readonly exit_timestamp?: string;

  // Kernel
  /** Of the zone's init. */
  readonly pid?: number;
  readonly init_restarts?: number;
  /** ISO. */
  readonly boot_timestamp?: string;

  // The host
  readonly server_uuid?: string;
  readonly datacenter_name?: string;
  readonly headnode_id?: string;
  readonly platform_buildstamp?: string;

  // ZFS
  /** The root dataset. */
  readonly zfs_filesystem?: string;
  readonly zpool?: string;
  /** GiB; 0 is none. */
  readonly quota?: number;
  readonly zfs_root_compression?: string;
  /** Bytes. */
  readonly zfs_root_recsize?: number;
  readonly zfs_data_compression?: string;
  /** Bytes. */
  readonly zfs_data_recsize?: number;
  readonly zfs_filesystem_limit?: number;
  readonly zfs_snapshot_limit?: number;
  readonly indestructible_zoneroot?: true;
  readonly indestructible_delegated?: true;
  /** Newest first. */
  readonly snapshots?: readonly Snapshot[];
  /** While the state is `receiving`. */
  readonly missing?: Missing;
}

/** Names of the properties of a VM object, for code that lists or checks them. */
export type VmProperty = keyof VmObject;
