/**
 * What kinds of VM there are on a hypervisor, and how each is configured: from a profile and a number it makes the zone's
 * configuration, its files and its datasets, without touching a disk.
 */
import type { Random } from './random.js';
import { setAttr, setRctl, type Zonecfg } from './zonecfg.js';

/** The kinds of VM that the scenario is made of, and `createZone` takes. */
export type VmKind =
  | 'joyent-minimal'
  | 'joyent'
  | 'lx'
  | 'docker-lx'
  | 'docker-minimal'
  | 'bhyve'
  | 'bhyve-flexible'
  | 'bhyve-passthru'
  | 'kvm'
  | 'kvm-old-layout'
  | 'builder';

/** Every kind. */
export const vmKinds: readonly VmKind[] = [
  'joyent-minimal',
  'bhyve',
  'docker-lx',
  'joyent',
  'kvm-old-layout',
  'lx',
  'bhyve-flexible',
  'docker-minimal',
  'builder',
  'bhyve-passthru',
  'joyent-minimal',
  'kvm',
];

/** A VM to be: what vmadm would hand to zonecfg and zfs, and the files that it would write. */
export interface VmPlan {
  readonly zonename: string;
  readonly uuid: string;
  readonly kind: VmKind;
  readonly config: Zonecfg;
  /** The image that the zone root is a clone of; undefined for hardware VMs, whose disk is the clone. */
  readonly imageUuid: string;
  readonly quotaGiB: number;
  /** Volumes by full name, with their size in bytes. */
  readonly disks: readonly { readonly dataset: string; readonly size: number; readonly fromImage: boolean }[];
  /** Names below the zone root of delegated datasets. */
  readonly delegated: readonly string[];
  readonly metadata: { readonly customer_metadata: object; readonly internal_metadata: object };
  readonly tags: object;
  readonly routes: object;
}

/** What all VMs of a host share. */
export interface HostFacts {
  readonly pool: string;
  readonly images: readonly string[];
  readonly owners: readonly string[];
  readonly packages: readonly string[];
  readonly networks: readonly string[];
}

const GiB = 2 ** 30;
const MiB = 2 ** 20;

/** Whether the kind is hardware virtualisation: its root dataset is not a clone of an image, its disks are volumes. */
export function isHardware(kind: VmKind): boolean {
  return kind.startsWith('bhyve') || kind.startsWith('kvm');
}

/** Plans the `number`th VM of a host. */
export function planVm(options: {
  readonly random: Random;
  readonly facts: HostFacts;
  readonly kind: VmKind;
  readonly number: number;
  readonly debugid: number;
  readonly zonename?: string;
  readonly alias?: string;
}): VmPlan {
  const { random, facts, kind, number, debugid } = options;
  const uuid = random.uuid();
  const zonename = options.zonename ?? uuid;
  const ram = random.pick([256, 512, 1024, 2048, 4096, 8192]);
  const imageUuid = random.pick(facts.images);
  const quotaGiB = random.pick([10, 20, 25, 50, 100]);
  const disks = isHardware(kind) ? planDisks(random, facts, zonename, kind) : [];
  const delegated = kind === 'joyent' || (kind === 'joyent-minimal' && random.chance(0.5)) ? ['data'] : [];
  const config: Zonecfg = {
    zonename,
    zonepath: `/${facts.pool}/${zonename}`,
    brand: brandOf(kind),
    // The KVM brand has no autoboot of its own: vmadmd looks at vm-autoboot.
    autoboot: !kind.startsWith('kvm') && random.chance(0.9),
    ipType: 'exclusive',
    limitpriv: limitprivOf(kind),
    debugid,
    attrs: [],
    rctls: [],
    datasets: delegated.map((name) => `${facts.pool}/${zonename}/${name}`),
    filesystems: planFilesystems(kind, facts, zonename),
    networks: planNics(random, facts, number, isHardware(kind)),
    devices: [],
  };
  if (kind === 'joyent') config.fsAllowed = 'ufs,pcfs,tmpfs';
  const alias =
    options.alias ?? `${random.pick(['web', 'db', 'cache', 'queue', 'build', 'mail', 'dns'])}${number}`;
  setAttrs(config, random, facts, { kind, alias, imageUuid, ram, number });
  setLimits(config, random, kind, ram);
  setDisks(config, random, kind, disks, imageUuid);
  return {
    zonename,
    uuid,
    kind,
    config,
    imageUuid,
    quotaGiB,
    disks,
    delegated,
    metadata: planMetadata(random, kind),
    tags: planTags(random, number),
    routes: random.chance(0.3)
      ? { '172.20.0.0/16': `10.0.0.${random.integer(2, 250)}`, '192.168.7.0/24': 'nics[0]' }
      : {},
  };
}

function brandOf(kind: VmKind): string {
  if (kind === 'docker-lx') return 'lx';
  if (kind === 'docker-minimal') return 'joyent-minimal';
  if (kind.startsWith('bhyve')) return 'bhyve';
  if (kind.startsWith('kvm')) return 'kvm';
  return kind;
}

function limitprivOf(kind: VmKind): string {
  if (kind.startsWith('kvm')) return 'default,-file_link_any,-net_access,-proc_fork,-proc_info,-proc_session';
  if (kind.startsWith('bhyve'))
    return 'default,-file_link_any,-net_access,-proc_fork,-proc_info,-proc_session';
  return kind === 'builder' ? 'default,sys_mount,proc_lock_memory' : 'default';
}

function planDisks(
  random: Random,
  { pool }: HostFacts,
  zonename: string,
  kind: VmKind,
): { dataset: string; size: number; fromImage: boolean }[] {
  const separator = kind === 'kvm-old-layout' ? '-disk' : '/disk';
  return [0, 1].map((index) => ({
    dataset: `${pool}/${zonename}${separator}${index}`,
    size: (index === 0 ? 10 : random.pick([5, 10, 20])) * GiB,
    fromImage: index === 0,
  }));
}

function planFilesystems(kind: VmKind, { pool }: HostFacts, zonename: string): Zonecfg['filesystems'] {
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

function planNics(random: Random, facts: HostFacts, number: number, hardware: boolean): Zonecfg['networks'] {
  return Array.from({ length: random.pick([1, 1, 2, 2, 3, 4]) }, (_, index) => {
    const network = facts.networks[index % facts.networks.length] ?? '';
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

function setAttrs(
  config: Zonecfg,
  random: Random,
  facts: HostFacts,
  vm: { kind: VmKind; alias: string; imageUuid: string; ram: number; number: number },
): void {
  const { kind, alias, imageUuid, ram, number } = vm;
  const created = new Date(Date.UTC(2026, 0, 1) + number * 3_600_000).toISOString();
  const attrs: Record<string, string | number | boolean> = {
    'vm-version': 1,
    'create-timestamp': created,
    'owner-uuid': random.pick(facts.owners),
    'billing-id': random.pick(facts.packages),
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
  if (kind.startsWith('bhyve'))
    Object.assign(attrs, { bootrom: 'bios', com1: '/dev/zconsole', 'bhyve-extra-opts': '' });
  if (attrs['bhyve-extra-opts'] === '') delete attrs['bhyve-extra-opts'];
  for (const [name, value] of Object.entries(attrs)) setAttr(config, name, value);
}

function setLimits(config: Zonecfg, random: Random, kind: VmKind, ram: number): void {
  // A hardware VM needs memory beside its guest's.
  const memory = (isHardware(kind) ? ram + 1024 : ram) * MiB;
  const limits: Record<string, number> = {
    'zone.cpu-shares': random.pick([10, 50, 100, 200, 400]),
    'zone.zfs-io-priority': random.pick([10, 50, 100]),
    'zone.max-lwps': kind.startsWith('kvm') || kind.startsWith('bhyve') ? 3000 : 2000,
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

function setDisks(
  config: Zonecfg,
  random: Random,
  kind: VmKind,
  disks: VmPlan['disks'],
  imageUuid: string,
): void {
  for (const [index, disk] of disks.entries()) {
    const netAttrs: Record<string, string> = { model: 'virtio', media: 'disk' };
    if (index === 0)
      Object.assign(netAttrs, { boot: 'true', 'image-uuid': imageUuid, 'image-size': '10240' });
    else Object.assign(netAttrs, { boot: 'false', size: String(disk.size / MiB) });
    if (kind.startsWith('bhyve')) {
      Object.assign(netAttrs, { 'pci-slot': `0:${4 + index}`, uuid: random.uuid() });
      if (index === 1) Object.assign(netAttrs, { 'guest-block-size': '4096', notrim: 'true' });
    }
    config.devices.push({ match: `/dev/zvol/rdsk/${disk.dataset}`, netAttrs });
  }
  if (kind === 'bhyve-flexible') {
    const total = disks.reduce((sum, disk) => sum + disk.size, 0) / MiB;
    setAttr(config, 'flexible-disk-size', total + 10240);
  }
  if (kind === 'bhyve-passthru') {
    config.devices.push({ match: '/dev/ppt0', netAttrs: { model: 'passthru', 'pci-slot': '0:8' } });
  }
}

function planMetadata(random: Random, kind: VmKind): VmPlan['metadata'] {
  const key = (): string => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${random.hex(43)} admin@example.com`;
  const docker = kind === 'docker-lx' || kind === 'docker-minimal';
  return {
    customer_metadata: {
      root_authorized_keys: `${key()}\n${key()}\n`,
      'user-script': `#!/bin/bash\nset -o xtrace\nhostname ${random.hex(8)}\nsvcadm enable ssh\n`,
      'cloud-init:user-data': `#cloud-config\npackages:\n  - nginx\n  - jq\nfinal_message: "up after $UPTIME s"\n`,
    },
    internal_metadata: {
      root_pw: random.hex(12),
      admin_pw: random.hex(12),
      ...(docker
        ? {
            'docker:id': random.hex(64),
            'docker:cmd': '["nginx","-g","daemon off;"]',
            'docker:env': '["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin","NGINX_VERSION=1.27.4"]',
            'docker:logdriver': 'json-file',
          }
        : {}),
    },
  };
}

function planTags(random: Random, number: number): object {
  return {
    role: random.pick(['frontend', 'backend', 'batch', 'infra']),
    environment: random.pick(['production', 'staging']),
    ...(number % 5 === 0 ? { 'smartdc.type': 'core', critical: true, tier: 1 } : {}),
  };
}
