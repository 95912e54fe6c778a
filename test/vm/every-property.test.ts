/**
 * Every property of the VM object, for every brand: two zones that between them have all a zone can have. The nested objects
 * are typed as complete, and the last test holds the expected objects against the list of properties, so none can be forgotten.
 */
import tap from 'tap';
import { assemble } from '../../lib/vm/assemble.js';
import type { ZoneInputs } from '../../lib/vm/inputs.js';
import type { Device, Disk, Filesystem, Nic, Snapshot, VmObject } from '../../lib/vm/vm-object.js';
import { vmProperties } from '../../lib/vm/vm-properties.js';
import { aDataset, aVolume, aZoneXml, base64, someInputs, someUuid } from './factories.js';

const brands = ['bhyve', 'builder', 'joyent', 'joyent-minimal', 'kvm', 'lx'];

const attrs = {
  'bhyve-extra-opts': '-o a',
  'billing-id': 'billing',
  boot: 'order=cd',
  bootrom: 'uefi',
  com1: '/dev/zconsole',
  com2: 'socket,/tmp/vm.ttyb',
  'cpu-type': 'host',
  'create-timestamp': '2026-11-23T10:00:00.000Z',
  'default-gateway': '10.0.20.1',
  'disk-driver': 'virtio',
  'dns-domain': 'local',
  hostname: 'db01',
  'init-name': '/sbin/init',
  'kernel-version': '4.3',
  'nic-driver': 'virtio',
  'owner-uuid': 'owner',
  'package-name': 'g4',
  'package-version': '1.0',
  'dataset-uuid': 'image',
  vga: 'std',
  'zlog-name': 'zlog',
  'zlog-mode': 'gt-',
  'app-svc-dependent': 'true',
  'archive-on-delete': 'true',
  'do-not-inventory': 'false',
  docker: 'true',
  'firewall-enabled': 'true',
  'maintain-resolvers': 'true',
  provisioning: 'true',
  'restart-init': 'false',
  'vm-autoboot': 'false',
  'flexible-disk-size': '20480',
  ram: '1024',
  'spice-port': '5900',
  tmpfs: '256',
  vcpus: '2',
  'virtio-txburst': '128',
  'virtio-txtimer': '200000',
  'vm-version': '1',
  'vnc-port': '5901',
  'zlog-max-size': '1048576',
  'internal-metadata-namespaces': 'sdc,x',
  resolvers: '8.8.8.8,8.8.4.4',
  alias: base64('Dätenbank "1" & <2>'),
  'qemu-extra-opts': base64('-qemu extra'),
  'qemu-opts': base64('-qemu'),
  'spice-opts': base64('-spice'),
  'spice-password': base64('spice'),
  'vnc-password': base64('vnc'),
};

const rctls: readonly (readonly [name: string, priv: string, limit: number, action: string])[] = [
  ['cpu-cap', 'privileged', 200, 'deny'],
  ['cpu-shares', 'privileged', 100, 'none'],
  ['zfs-io-priority', 'privileged', 50, 'none'],
  ['max-lwps', 'privileged', 2000, 'deny'],
  ['max-msg-ids', 'privileged', 4096, 'deny'],
  ['max-sem-ids', 'privileged', 4097, 'deny'],
  ['max-shm-ids', 'privileged', 4098, 'deny'],
  ['max-locked-memory', 'privileged', 1_073_741_824, 'deny'],
  ['max-physical-memory', 'privileged', 2_415_919_104, 'deny'],
  ['max-shm-memory', 'privileged', 536_870_912, 'deny'],
  ['max-swap', 'privileged', 4_294_967_296, 'deny'],
];

const children = `
  ${rctls
    .map(
      ([name, priv, limit, action]) =>
        `<rctl name="zone.${name}"><rctl-value priv="${priv}" limit="${limit}" action="${action}"/></rctl>`,
    )
    .join('\n  ')}
  <dataset name="zones/${someUuid}/data"/>
  <filesystem special="/opt/share" raw="/dev/rdsk/share" directory="/share" type="lofs">
    <fsoption name="ro"/><fsoption name="nodevices"/>
  </filesystem>
  <network physical="net0" mac-addr="90:b8:d0:11:22:33" vlan-id="20" global-nic="external" allowed-address="10.0.20.7/24">
    <net-attr name="allow_dhcp_spoofing" value="true"/>
    <net-attr name="allow_ip_spoofing" value="true"/>
    <net-attr name="allow_mac_spoofing" value="false"/>
    <net-attr name="allow_restricted_traffic" value="true"/>
    <net-attr name="allow_unfiltered_promisc" value="true"/>
    <net-attr name="allowed_dhcp_cids" value="a,b"/>
    <net-attr name="allowed_ips" value="10.0.20.8"/>
    <net-attr name="blocked_outgoing_ports" value="25,465"/>
    <net-attr name="dhcp_server" value="false"/>
    <net-attr name="gateway" value="10.0.20.1"/>
    <net-attr name="gateways" value="10.0.20.1,10.0.20.2"/>
    <net-attr name="ip" value="10.0.20.7"/>
    <net-attr name="ips" value="10.0.20.7/24,addrconf"/>
    <net-attr name="model" value="virtio"/>
    <net-attr name="mtu" value="9000"/>
    <net-attr name="netmask" value="255.255.255.0"/>
    <net-attr name="network_uuid" value="network"/>
    <net-attr name="primary" value="true"/>
    <net-attr name="vrrp_primary_ip" value="10.0.20.9"/>
    <net-attr name="vrrp_vrid" value="7"/>
  </network>
  <device match="/dev/zvol/rdsk/zones/${someUuid}/disk0">
    <net-attr name="boot" value="true"/>
    <net-attr name="guest-block-size" value="512/4096"/>
    <net-attr name="image-name" value="ubuntu"/>
    <net-attr name="image-size" value="10240"/>
    <net-attr name="image-uuid" value="image"/>
    <net-attr name="media" value="disk"/>
    <net-attr name="model" value="virtio"/>
    <net-attr name="notrim" value="true"/>
    <net-attr name="pci-slot" value="0:4:0"/>
    <net-attr name="size" value="10240"/>
    <net-attr name="uuid" value="disk-uuid"/>
  </device>
  <device match="/dev/ppt1">
    <net-attr name="model" value="passthru"/>
    <net-attr name="pci-slot" value="0:8:0"/>
  </device>
`;

const nic: Required<Nic> = {
  interface: 'net0',
  mac: '90:b8:d0:11:22:33',
  vlan_id: 20,
  nic_tag: 'external',
  allow_dhcp_spoofing: true,
  allow_ip_spoofing: true,
  allow_mac_spoofing: false,
  allow_restricted_traffic: true,
  allow_unfiltered_promisc: true,
  allowed_dhcp_cids: ['a', 'b'],
  allowed_ips: ['10.0.20.8'],
  blocked_outgoing_ports: [25, 465],
  dhcp_server: false,
  gateway: '10.0.20.1',
  gateways: ['10.0.20.1', '10.0.20.2'],
  ip: '10.0.20.7',
  ips: ['10.0.20.7/24', 'addrconf'],
  model: 'virtio',
  mtu: 9000,
  netmask: '255.255.255.0',
  network_uuid: 'network',
  primary: true,
  vrrp_primary_ip: '10.0.20.9',
  vrrp_vrid: 7,
};

const device: Required<Device> = {
  path: `/dev/zvol/rdsk/zones/${someUuid}/disk0`,
  boot: true,
  guest_block_size: '512/4096',
  image_size: 10240,
  image_uuid: 'image',
  media: 'disk',
  model: 'virtio',
  notrim: true,
  pci_slot: '0:4:0',
  uuid: 'disk-uuid',
};

const knownDisk: Required<Omit<Disk, 'missing'>> = {
  ...device,
  zfs_filesystem: `zones/${someUuid}/disk0`,
  zpool: 'zones',
  size: 10240,
  compression: 'lz4',
  refreservation: 10241,
  block_size: 8192,
};

const missingDisk: Disk = { ...device, missing: true };

const filesystem: Required<Filesystem> = {
  source: '/opt/share',
  raw: '/dev/rdsk/share',
  target: '/share',
  type: 'lofs',
  options: ['ro', 'nodevices'],
};

const snapshot: Required<Snapshot> = { name: 'backup', size: 2, created_at: '2020-09-13T12:28:20.000Z' };

const common = {
  zonename: someUuid,
  uuid: someUuid,
  zonepath: `/zones/${someUuid}`,
  zonedid: 14,
  limit_priv: 'default,-proc_fork',
  fs_allowed: 'ufs,pcfs',
  bhyve_extra_opts: '-o a',
  billing_id: 'billing',
  boot: 'order=cd',
  bootrom: 'uefi',
  com1: '/dev/zconsole',
  com2: 'socket,/tmp/vm.ttyb',
  cpu_type: 'host',
  create_timestamp: '2026-11-23T10:00:00.000Z',
  default_gateway: '10.0.20.1',
  disk_driver: 'virtio',
  dns_domain: 'local',
  hostname: 'db01',
  init_name: '/sbin/init',
  kernel_version: '4.3',
  nic_driver: 'virtio',
  owner_uuid: 'owner',
  package_name: 'g4',
  package_version: '1.0',
  image_uuid: 'image',
  vga: 'std',
  zlog_name: 'zlog',
  zlog_mode: 'gt-',
  app_svc_dependent: true,
  archive_on_delete: true,
  do_not_inventory: false,
  docker: true,
  firewall_enabled: true,
  maintain_resolvers: true,
  provisioning: true,
  restart_init: false,
  flexible_disk_size: 20480,
  ram: 1024,
  spice_port: 5900,
  tmpfs: 256,
  vcpus: 2,
  virtio_txburst: 128,
  virtio_txtimer: 200000,
  v: 1,
  vnc_port: 5901,
  zlog_max_size: 1048576,
  internal_metadata_namespaces: ['sdc', 'x'],
  resolvers: ['8.8.8.8', '8.8.4.4'],
  alias: 'Dätenbank "1" & <2>',
  qemu_extra_opts: '-qemu extra',
  qemu_opts: '-qemu',
  spice_opts: '-spice',
  spice_password: 'spice',
  vnc_password: 'vnc',
  cpu_cap: 200,
  cpu_shares: 100,
  zfs_io_priority: 50,
  max_lwps: 2000,
  max_msg_ids: 4096,
  max_sem_ids: 4097,
  max_shm_ids: 4098,
  max_locked_memory: 1024,
  max_physical_memory: 2304,
  max_shm_memory: 512,
  max_swap: 4096,
  nics: [nic],
  pci_devices: [{ path: '/dev/ppt1', model: 'passthru', pci_slot: '0:8:0' }],
  filesystems: [filesystem],
  datasets: [`zones/${someUuid}/data`],
  customer_metadata: { 'user-script': '#!/bin/sh' },
  internal_metadata: { 'sdc:x': '1' },
  tags: { role: 'db', size: 3 },
  routes: { '10.1.0.0/16': '10.0.20.3' },
  server_uuid: 'server',
  datacenter_name: 'dc1',
  headnode_id: 'headnode',
  platform_buildstamp: '20261123T000000Z',
};

const files = {
  metadata: {
    value: { customer_metadata: { 'user-script': '#!/bin/sh' }, internal_metadata: { 'sdc:x': '1' } },
    mtimeMs: 2_000,
  },
  tags: { value: { role: 'db', size: 3 }, mtimeMs: 3_000 },
  routes: { value: { '10.1.0.0/16': '10.0.20.3' }, mtimeMs: 4_000 },
  lastexited: { value: { seconds: 5, microseconds: 5000, waitStatus: 0x0300 }, mtimeMs: 5_999 },
  sysinfo: {
    UUID: 'server',
    'Datacenter Name': 'dc1',
    'Headnode ID': 'headnode',
    'Live Image': '20261123T000000Z',
  },
};

const zoneAttributes = { limitpriv: 'default,-proc_fork', 'fs-allowed': 'ufs,pcfs' };

/** Running, with all its datasets; something went wrong, and its transition is not one. */
function failed(brand: string): { readonly inputs: ZoneInputs; readonly vm: VmObject } {
  const hold = { name: 'indestructible', createdAt: 1, size: 0, userrefs: 1 };
  const inputs = someInputs({
    ...files,
    record: { brand },
    xml: aZoneXml({
      attributes: { ...zoneAttributes, brand },
      attrs: { ...attrs, failed: 'provisioning', transition: 'odd' },
      children,
    }),
    kstat: { zonename: someUuid, zoneid: 12, initPid: 6841, initRestarts: 2, bootTime: 1_600_000_200 },
    datasets: [
      aDataset({
        name: `zones/${someUuid}`,
        quota: 10 * 2 ** 30,
        refquota: 20 * 2 ** 30,
        compression: 'lz4',
        filesystemLimit: 100,
        snapshotLimit: 50,
        snapshots: [
          hold,
          { name: 'vmsnap-backup', createdAt: 1_600_000_100, size: 2 * 2 ** 20, userrefs: 0 },
        ],
      }),
      aDataset({ name: `zones/${someUuid}/data`, compression: 'gzip', recsize: 65536, snapshots: [hold] }),
      aVolume({
        name: `zones/${someUuid}/disk0`,
        compression: 'lz4',
        refreservation: 10 * 2 ** 30 + 1,
        usedBySnapshots: 2 ** 20 + 1,
      }),
    ],
  });
  const vm = {
    ...common,
    ...autoboot(brand),
    brand,
    hvm: ['bhyve', 'kvm'].includes(brand),
    zone_state: 'running',
    zoneid: 12,
    state: 'failed',
    failed: 'provisioning',
    transition: 'odd',
    last_modified: '1970-01-01T00:00:05.000Z',
    pid: 6841,
    init_restarts: 2,
    boot_timestamp: '2020-09-13T12:30:00.000Z',
    zfs_filesystem: `zones/${someUuid}`,
    zpool: 'zones',
    quota: brand === 'bhyve' ? 20 : 10,
    zfs_root_compression: 'lz4',
    zfs_root_recsize: 131072,
    zfs_filesystem_limit: 100,
    zfs_snapshot_limit: 50,
    indestructible_zoneroot: true as const,
    zfs_data_compression: 'gzip',
    zfs_data_recsize: 65536,
    indestructible_delegated: true as const,
    snapshots: [snapshot],
    disks: [knownDisk],
    // 20480 - 10240 - 1.000001 MiB
    ...(brand === 'bhyve' && { free_space: 10238 }),
  };
  return { inputs, vm };
}

/** Being received: no dataset is there yet. */
function receiving(brand: string): { readonly inputs: ZoneInputs; readonly vm: VmObject } {
  const inputs = someInputs({
    ...files,
    record: { brand, state: 'installed', zoneid: null },
    xml: aZoneXml({
      attributes: { ...zoneAttributes, brand },
      attrs: { ...attrs, transition: 'receiving:stopped:1795428000123' },
      children,
    }),
    receiving: { zfs_filesystem: `tank/${someUuid}` },
  });
  const vm = {
    ...common,
    ...autoboot(brand),
    brand,
    hvm: ['bhyve', 'kvm'].includes(brand),
    zone_state: 'installed',
    zoneid: null,
    state: 'receiving',
    transition_to: 'stopped',
    transition_expire: 1795428000123,
    last_modified: '1970-01-01T00:00:05.000Z',
    exit_status: 3,
    exit_timestamp: '1970-01-01T00:00:05.005Z',
    zfs_filesystem: `tank/${someUuid}`,
    zpool: 'tank',
    snapshots: [],
    disks: [missingDisk],
    missing: {
      datasets: [`tank/${someUuid}`, `zones/${someUuid}/data`],
      disks: [device.path],
      filesystems: ['/opt/share'],
    },
  };
  return { inputs, vm };
}

/** kvm's autoboot is its vm-autoboot, which then is no property of its own. */
function autoboot(brand: string): Partial<VmObject> {
  return brand === 'kvm' ? { autoboot: false } : { autoboot: true, vm_autoboot: false };
}

for (const brand of brands) {
  for (const make of [failed, receiving]) {
    void tap.test(`${brand}, ${make.name}`, (t) => {
      const { inputs, vm } = make(brand);
      const assembled = assemble(inputs);
      t.strictSame(assembled.vm, vm);
      t.strictSame(assembled.warnings, []);
      t.end();
    });
  }

  void tap.test(`${brand}: no property is forgotten`, (t) => {
    const expected = [failed(brand).vm, receiving(brand).vm].flatMap((vm) => Object.keys(vm));
    const doesNotApply = [
      ...(brand === 'bhyve' ? [] : ['free_space']),
      ...(brand === 'kvm' ? ['vm_autoboot'] : []),
    ];
    t.strictSame([...new Set(expected), ...doesNotApply].sort(), [...vmProperties].sort());
    t.end();
  });
}
