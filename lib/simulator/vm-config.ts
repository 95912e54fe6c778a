/**
 * The resources of a VM's zone, as vmadm passes them to zonecfg.
 */
import type { Random } from './random.js';
import { isHardware, type VmKind } from './vm-kinds.js';
import { setAttr, setRctl, type Zonecfg } from './zonecfg.js';

/** A planned disk: its volume, and whether it is a clone of an image's. */
export interface DiskPlan {
  readonly dataset: string;
  /** Bytes. */
  readonly size: number;
  readonly fromImage: boolean;
}

const GiB = 2 ** 30;
const MiB = 2 ** 20;

/** Two disks, the first from an image. */
export function planDisks(random: Random, pool: string, zonename: string, kind: VmKind): DiskPlan[] {
  const separator = kind === 'kvm-old-layout' ? '-disk' : '/disk';
  return [0, 1].map((index) => ({
    dataset: `${pool}/${zonename}${separator}${index}`,
    size: (index === 0 ? 10 : random.pick([5, 10, 20])) * GiB,
    fromImage: index === 0,
  }));
}

/** What is mounted into the zone. */
export function planFilesystems(kind: VmKind, pool: string, zonename: string): Zonecfg['filesystems'] {
  if (kind === 'builder') {
    return [
      { special: '/opt/build-cache', directory: '/cache', type: 'lofs', options: ['ro', 'nodevices'] },
      {
        special: `/dev/zvol/dsk/${pool}/scratch`,
        raw: `/dev/zvol/rdsk/${pool}/scratch`,
        directory: '/scratch',
        type: 'ufs',
        options: [],
      },
    ];
  }
  if (kind !== 'docker-lx' && kind !== 'docker-minimal') return [];
  return ['hosts', 'resolv.conf', 'hostname'].map((file) => ({
    special: `/${pool}/${zonename}/etc/${file}`,
    directory: `/etc/${file}`,
    type: 'lofs',
    options: [],
  }));
}

/** One to four network interfaces. */
export function planNics(
  random: Random,
  networks: readonly string[],
  number: number,
  hardware: boolean,
): Zonecfg['networks'] {
  return Array.from({ length: random.pick([1, 1, 2, 2, 3, 4]) }, (_, index) => {
    const network = networks[index % networks.length] ?? '';
    const address = `10.${index}.${Math.floor(number / 250) % 250}.${(number % 250) + 2}`;
    const attributes: Record<string, string> = {
      physical: `net${index}`,
      'mac-addr': `90:b8:d0:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}`,
      'global-nic': ['external', 'internal', 'storage', 'admin'][index] ?? 'external',
    };
    if (index > 0) attributes['vlan-id'] = String(100 * index);
    const netAttrs: Record<string, string> = {
      ip: address,
      ips: index === 0 ? `${address}/16,addrconf` : `${address}/16`,
      netmask: '255.255.0.0',
      network_uuid: network,
      mtu: '1500',
    };
    if (hardware) netAttrs['model'] = 'virtio';
    if (index === 0) {
      netAttrs['gateway'] = '10.0.0.1';
      netAttrs['gateways'] = '10.0.0.1';
      netAttrs['primary'] = 'true';
    }
    if (index === 3) {
      netAttrs['allow_ip_spoofing'] = 'true';
      netAttrs['blocked_outgoing_ports'] = '25,587';
    }
    return { attributes, netAttrs };
  });
}

/** The attrs that vmadm sets. */
export function setAttrs(
  config: Zonecfg,
  random: Random,
  vm: {
    readonly kind: VmKind;
    readonly alias: string;
    readonly imageUuid: string;
    readonly ram: number;
    readonly number: number;
    readonly disks: readonly DiskPlan[];
    readonly owners: readonly string[];
    readonly packages: readonly string[];
  },
): void {
  const { kind, alias, imageUuid, ram, number, disks } = vm;
  const created = new Date(Date.UTC(2026, 0, 1) + number * 3_600_000).toISOString();
  const attrs: Record<string, string | number | boolean> = {
    'vm-version': 1,
    'create-timestamp': created,
    'owner-uuid': random.pick(vm.owners),
    'billing-id': random.pick(vm.packages),
    'package-name': `g4-general-${ram}M`,
    'package-version': '1.2.0',
    'dns-domain': 'local',
    hostname: alias,
    alias,
    resolvers: '8.8.8.8,8.8.4.4',
    'firewall-enabled': random.chance(0.6),
    'maintain-resolvers': true,
    tmpfs: ram,
    'do-not-inventory': number % 17 === 3,
  };
  if (!isHardware(kind)) attrs['dataset-uuid'] = imageUuid;
  if (kind === 'lx' || kind === 'docker-lx') attrs['kernel-version'] = '4.10.0';
  if (kind === 'docker-lx' || kind === 'docker-minimal') {
    Object.assign(attrs, {
      docker: true,
      'restart-init': false,
      'init-name': '/native/usr/vm/sbin/dockerinit',
    });
    attrs['internal-metadata-namespaces'] = 'docker,sdc';
  }
  if (isHardware(kind)) {
    Object.assign(attrs, {
      ram,
      vcpus: random.pick([1, 2, 4, 8]),
      'vm-autoboot': true,
      boot: 'order=cd',
      vga: 'std',
    });
    Object.assign(attrs, { 'disk-driver': 'virtio', 'nic-driver': 'virtio' });
  }
  if (kind.startsWith('kvm')) {
    Object.assign(attrs, {
      'vnc-port': 5900 + (number % 1000),
      'vnc-password': random.hex(8),
      'cpu-type': 'host',
    });
    Object.assign(attrs, {
      'qemu-extra-opts': '-usbdevice tablet',
      'virtio-txburst': 128,
      'virtio-txtimer': 200000,
    });
  }
  if (kind.startsWith('bhyve')) Object.assign(attrs, { bootrom: 'bios', com1: '/dev/zconsole' });
  if (kind === 'bhyve-flexible') {
    // Room for a snapshot or one more disk.
    attrs['flexible-disk-size'] = disks.reduce((sum, disk) => sum + disk.size, 10 * GiB) / MiB;
  }
  for (const [name, value] of Object.entries(attrs)) setAttr(config, name, value);
}

/** The resource controls that vmadm sets; `ram` in MiB. */
export function setLimits(config: Zonecfg, random: Random, kind: VmKind, ram: number): void {
  // A hardware VM needs memory in addition to its guest's.
  const memory = (isHardware(kind) ? ram + 1024 : ram) * MiB;
  const limits: Record<string, number> = {
    'zone.cpu-shares': random.pick([10, 50, 100, 200, 400]),
    'zone.zfs-io-priority': random.pick([10, 50, 100]),
    'zone.max-lwps': isHardware(kind) ? 3000 : 2000,
    'zone.max-msg-ids': 4096,
    'zone.max-sem-ids': 4096,
    'zone.max-shm-ids': 4096,
    'zone.max-shm-memory': memory,
    'zone.max-physical-memory': memory,
    'zone.max-locked-memory': memory,
    'zone.max-swap': memory * 2,
  };
  if (random.chance(0.7)) limits['zone.cpu-cap'] = random.pick([100, 200, 400]);
  for (const [name, limit] of Object.entries(limits)) setRctl(config, name, limit);
}

/** The devices: disks, and for some a PCI device passed through. */
export function planDevices(
  random: Random,
  kind: VmKind,
  disks: readonly DiskPlan[],
  imageUuid: string,
): Zonecfg['devices'] {
  const devices = disks.map((disk, index) => {
    const netAttrs: Record<string, string> = { model: 'virtio', media: 'disk' };
    if (disk.fromImage)
      Object.assign(netAttrs, { boot: 'true', 'image-uuid': imageUuid, 'image-size': '10240' });
    else Object.assign(netAttrs, { boot: 'false', size: String(disk.size / MiB) });
    if (kind.startsWith('bhyve')) {
      Object.assign(netAttrs, { 'pci-slot': `0:${4 + index}`, uuid: random.uuid() });
      if (index === 1) Object.assign(netAttrs, { 'guest-block-size': '4096', notrim: 'true' });
    }
    return { match: `/dev/zvol/rdsk/${disk.dataset}`, netAttrs };
  });
  const passthru = { match: '/dev/ppt0', netAttrs: { model: 'passthru', 'pci-slot': '0:8' } };
  return kind === 'bhyve-passthru' ? [...devices, passthru] : devices;
}
