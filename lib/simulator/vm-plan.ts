/**
 * Plans a VM from a kind and a number: its zone's configuration, its files and its datasets, without touching the disk.
 */
import type { Random } from './random.js';
import {
  planDevices,
  planDisks,
  planFilesystems,
  planNics,
  setAttrs,
  setLimits,
  type DiskPlan,
} from './vm-config.js';
import { brandOf, isHardware, type VmKind } from './vm-kinds.js';
import type { Zonecfg } from './zonecfg.js';

/** A planned VM: what vmadm would pass to zonecfg and zfs, and the files that it would write. */
export interface VmPlan {
  readonly zonename: string;
  readonly uuid: string;
  readonly kind: VmKind;
  readonly config: Zonecfg;
  /** The image that the zone root, or a hardware VM's first disk, is a clone of. */
  readonly imageUuid: string;
  readonly quotaGiB: number;
  readonly disks: readonly DiskPlan[];
  /** Names below the zone root of delegated datasets. */
  readonly delegated: readonly string[];
  readonly metadata: { readonly customer_metadata: object; readonly internal_metadata: object };
  readonly tags: object;
  readonly routes: object;
}

/** What all VMs of a host share. */
export interface HostPlan {
  readonly pool: string;
  readonly images: readonly string[];
  readonly owners: readonly string[];
  readonly packages: readonly string[];
  readonly networks: readonly string[];
}

/** Plans the `number`th VM of a host. */
export function planVm(options: {
  readonly random: Random;
  readonly facts: HostPlan;
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
  const disks = isHardware(kind) ? planDisks(random, facts.pool, zonename, kind) : [];
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
    filesystems: planFilesystems(kind, facts.pool, zonename),
    networks: planNics(random, facts.networks, number, isHardware(kind)),
    devices: planDevices(random, kind, disks, imageUuid),
  };
  if (kind === 'joyent') config.fsAllowed = 'ufs,pcfs,tmpfs';
  const alias =
    options.alias ?? `${random.pick(['web', 'db', 'cache', 'queue', 'build', 'mail', 'dns'])}${number}`;
  setAttrs(config, random, {
    kind,
    alias,
    imageUuid,
    ram,
    number,
    disks,
    owners: facts.owners,
    packages: facts.packages,
  });
  setLimits(config, random, kind, ram);
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

function limitprivOf(kind: VmKind): string {
  if (isHardware(kind)) return 'default,-file_link_any,-net_access,-proc_fork,-proc_info,-proc_session';
  return kind === 'builder' ? 'default,sys_mount,proc_lock_memory' : 'default';
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
