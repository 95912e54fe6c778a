/**
 * A restless operator: every operation that the simulated host has, on zones picked at random.
 */
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  SimulatorError,
  ZfsError,
  createRandom,
  vmKinds,
  type Random,
  type SimulatedHost,
  type Zone,
  type Zonecfg,
} from '../../lib/simulator/index.js';
import type { Trail } from './trail.js';

export interface OperatorOptions {
  readonly host: SimulatedHost;
  readonly seed: number;
  /** About how many zones there are to be. */
  readonly zones: number;
  readonly trail: Trail;
}

/** Does one thing at a time. */
export interface Operator {
  /** Does something; only what events tell of if `audible`. Rejects only with what should never happen. */
  act(options?: { readonly audible?: boolean }): Promise<void>;
  /** Undoes what it has half done: what was moved away is put back. */
  tidyUp(): Promise<void>;
  /** Zones that were away for a moment: only these may be deleted, or created anew. */
  readonly vanished: ReadonlySet<string>;
}

interface Scene {
  readonly host: SimulatedHost;
  readonly zone: Zone;
  readonly random: Random;
  /** The zone's root dataset, whether or not it is there. */
  readonly root: string;
  /** Its snapshots that nothing holds. */
  readonly snapshots: readonly string[];
  readonly disks: readonly string[];
  /** Datasets that the operator made beside the VMs'. */
  readonly scratch: string[];
  /** Datasets that were renamed, and to what. */
  readonly renamed: Map<string, string>;
  readonly vanished: Set<string>;
}

type Action = (scene: Scene) => Promise<unknown>;

const GiB = 2 ** 30;

/** Makes an operator. */
export function createOperator({ host, seed, zones, trail }: OperatorOptions): Operator {
  const random = createRandom(seed);
  const scratch: string[] = [];
  const renamed = new Map<string, string>();
  const vanished = new Set<string>();
  const names = Object.entries(actions).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));
  const audibleNames = names.filter((name) => actions[name]?.silent !== true);

  const choose = (count: number, audible: boolean): string => {
    if (count < zones * 0.95) return 'create zone';
    if (count > zones * 1.05) return 'destroy zone';
    return random.pick(audible ? audibleNames : names);
  };

  return {
    vanished,
    act: async ({ audible = false } = {}) => {
      const zonenames = host.zonenames();
      const name = choose(zonenames.length, audible);
      const zone = host.zone(random.pick(zonenames));
      const root = zone.zonepath.slice(1);
      const dataset = host.dataset(root);
      host.setStateLag(random.pick([0, 0, 0, 0, 5, 40]));
      const scene: Scene = {
        ...{ host, zone, random, root, scratch, renamed, vanished },
        snapshots: (dataset?.snapshots ?? [])
          .filter(({ holds, clones }) => holds.length + clones.length === 0)
          .map((snapshot) => `${root}@${snapshot.name}`),
        disks: zone.config.devices
          .map(({ match }) => match.replace('/dev/zvol/rdsk/', ''))
          .filter((disk) => host.dataset(disk) !== undefined),
      };
      // Noted first: the daemon may be quicker than the operator's command ends.
      trail.action(name, zone.zonename);
      try {
        const detail = await actions[name]?.act(scene);
        if (typeof detail === 'string') trail.note(`  ${zone.zonename}: ${detail}`);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        trail.refused++;
        trail.note(`  ${zone.zonename}: refused: ${error.message}`);
      }
    },
    tidyUp: async () => {
      for (const [from, to] of renamed) await host.zfs('rename', to, from).catch(refused);
      renamed.clear();
      host.setStateLag(0);
    },
  };
}

/** What a real host would refuse too; a tool that finds broken JSON in the file that it is to change gives up as well. */
function isRefusal(error: unknown): error is Error {
  return (
    error instanceof SimulatorError ||
    error instanceof ZfsError ||
    error instanceof SyntaxError ||
    (error as NodeJS.ErrnoException).code === 'ENOENT'
  );
}

function refused(error: unknown): void {
  if (!isRefusal(error)) throw error;
}

/**
 * `silent`: no event tells of all of it. A sparse volume that is resized has none; and when a snapshot goes, the next one
 * takes over what it held, so that its size changes without a word.
 */
const actions: Readonly<
  Record<string, { readonly weight: number; readonly silent?: boolean; readonly act: Action }>
> = {
  'set alias': {
    weight: 6,
    act: ({ host, zone, random }) =>
      host.updateConfig(zone.zonename, { attrs: { alias: `chaos-${random.hex(6)}` } }),
  },
  'set attrs': {
    weight: 3,
    act: ({ host, zone, random }) =>
      host.updateConfig(zone.zonename, {
        autoboot: random.chance(0.5),
        attrs: {
          resolvers: random.pick(['8.8.8.8', '8.8.8.8,8.8.4.4', '8.8.4.4,8.8.8.8', null]),
          'dns-domain': random.pick(['local', 'example.com', null]),
        },
      }),
  },
  'set limits': {
    weight: 3,
    act: ({ host, zone, random }) =>
      host.updateConfig(zone.zonename, {
        rctls: {
          'zone.cpu-shares': random.integer(1, 100),
          'zone.max-swap': random.pick([null, GiB, 2 * GiB]),
        },
      }),
  },
  'change nics': {
    weight: 4,
    act: ({ host, zone, random }) => host.updateConfig(zone.zonename, changeNics(random)),
  },
  'set transition': {
    weight: 2,
    act: async ({ host, zone, random }) => {
      const transition = random.pick([
        'stopping:stopped:1795428000',
        'receiving:stopped:1795428000',
        null,
        null,
      ]);
      const receiving = host.path(`/etc/zones/${zone.zonename}-receiving.json`);
      if (transition?.startsWith('receiving') === true)
        writeFileSync(receiving, `{"zfs_filesystem":"${zone.zonepath.slice(1)}"}\n`);
      else rmSync(receiving, { force: true });
      await host.setTransition(zone.zonename, transition);
      return `transition=${transition}`;
    },
  },
  'set tags': {
    weight: 6,
    act: ({ host, zone, random }) =>
      host.setTags(zone.zonename, {
        [random.pick(['role', 'tier', 'a.b', '__proto__'])]: random.pick(['blue', 'green', 7, true, null]),
      }),
  },
  'set metadata': {
    weight: 5,
    act: ({ host, zone, random }) =>
      host.setMetadata(zone.zonename, random.pick(['customer_metadata', 'internal_metadata']), {
        'deploy:version': random.hex(5),
      }),
  },
  'set routes': {
    weight: 3,
    act: ({ host, zone, random }) =>
      host.setRoutes(zone.zonename, {
        [`10.${random.integer(0, 3)}.0.0/16`]: random.pick(['10.0.0.1', 'nics[0]', null]),
      }),
  },
  'write lastexited': {
    weight: 3,
    act: ({ host, zone, random }) => host.writeLastExited(zone.zonename, random.pick([0, 256, 9, -1])),
  },
  'set sysinfo': {
    weight: 1,
    act: ({ host, random }) => host.updateSysinfo({ 'Datacenter Name': `dc-${random.hex(3)}` }),
  },
  start: { weight: 4, act: ({ host, zone }) => host.start(zone.zonename) },
  stop: {
    weight: 4,
    act: ({ host, zone, random }) =>
      host.stop(zone.zonename, { waitStatus: random.pick([0, 0, 256, 9, -1]) }),
  },
  reboot: { weight: 4, act: ({ host, zone }) => host.reboot(zone.zonename) },
  'restart init': { weight: 4, act: ({ host, zone }) => host.restartInit(zone.zonename) },
  'create zone': {
    weight: 2,
    act: ({ host, random }) => host.createZone({ kind: random.pick(vmKinds), boot: random.chance(0.7) }),
  },
  'create odd zone': {
    weight: 1,
    act: ({ host, random }) => host.createZone({ zonename: `odd-zone-${random.hex(4)}` }),
  },
  'destroy zone': {
    weight: 2,
    act: async ({ host, zone, vanished }) => {
      vanished.add(zone.zonename);
      await host.destroyZone(zone.zonename);
    },
  },
  'move XML over': {
    weight: 2,
    act: async ({ host, zone, vanished }) => {
      vanished.add(zone.zonename);
      await host.moveXmlOver(zone.zonename);
    },
  },
  'delete XML': {
    weight: 1,
    act: async ({ host, zone, vanished }) => {
      vanished.add(zone.zonename);
      await host.deleteXml(zone.zonename);
    },
  },
  'rewrite XML': { weight: 3, act: ({ host, zone }) => host.rewriteXml(zone.zonename) },

  'zfs set': {
    weight: 8,
    act: ({ host, root, random }) => host.zfs('set', random.pick(settings(random)), root),
  },
  'zfs inherit': {
    weight: 3,
    act: ({ host, root, random }) =>
      host.zfs('inherit', ...random.pick([['compression'], ['recordsize'], ['-r', 'compression']]), root),
  },
  'zfs set on a parent': {
    weight: 1,
    act: ({ host, random }) =>
      host.zfs('set', `compression=${random.pick(['lz4', 'gzip', 'off', 'zstd'])}`, 'zones'),
  },
  'zfs inherit on a parent': {
    weight: 1,
    act: ({ host, random }) => host.zfs('inherit', random.pick(['compression', 'recordsize']), 'zones'),
  },
  'zfs set on delegated data': {
    weight: 2,
    act: ({ host, root, random }) =>
      host.zfs('set', `recordsize=${random.pick(['8k', '16k', '128k'])}`, `${root}/data`),
  },
  'zfs set mountpoint': {
    weight: 1,
    act: async ({ host, root }) => {
      await host.zfs('set', `mountpoint=/elsewhere/${root.replaceAll('/', '-')}`, root);
      return host.zfs('inherit', 'mountpoint', root);
    },
  },
  'zfs set on a disk': {
    weight: 2,
    act: ({ host, disks, random }) =>
      host.zfs(
        'set',
        random.pick(['compression=gzip', 'compression=off', 'refreservation=1g']),
        pick(random, disks),
      ),
  },
  'resize a disk': {
    weight: 2,
    silent: true,
    act: ({ host, disks, random }) =>
      host.zfs('set', `volsize=${random.integer(10, 40)}g`, pick(random, disks)),
  },
  'add or remove a disk': { weight: 2, act: addOrRemoveDisk },
  'add or remove data': { weight: 1, act: addOrRemoveData },
  'write data': {
    weight: 1,
    silent: true,
    act: ({ host, root, random }) => host.writeData(root, random.integer(1, 1000) * 4096, 4096),
  },
  'zfs snapshot': {
    weight: 8,
    act: ({ host, root, random }) =>
      host.zfs('snapshot', `${root}@${random.pick(['vmsnap-', 'daily-'])}${random.hex(6)}`),
  },
  'zfs snapshot -r': {
    weight: 2,
    act: ({ host, root, random }) => host.zfs('snapshot', '-r', `${root}@vmsnap-${random.hex(6)}`),
  },
  'zfs snapshot of everything': {
    weight: 1,
    act: ({ host, random }) => host.zfs('snapshot', '-r', `zones@hourly-${random.hex(6)}`),
  },
  'zfs destroy of everything hourly': {
    weight: 1,
    silent: true,
    act: ({ host }) => {
      const hourly = host.dataset('zones')?.snapshots.find(({ name }) => name.startsWith('hourly-'));
      return hourly === undefined ? nothing() : host.zfs('destroy', '-r', `zones@${hourly.name}`);
    },
  },
  indestructible: {
    weight: 2,
    act: async ({ host, root, random }) => {
      const snapshot = `${root}${random.pick(['', '/data'])}@indestructible`;
      await host.zfs('snapshot', snapshot).catch(refused);
      await host.zfs('hold', 'do_not_destroy', snapshot);
    },
  },
  'zfs hold': {
    weight: 2,
    act: ({ host, snapshots, random }) => host.zfs('hold', 'chaos', pick(random, snapshots)),
  },
  'zfs release': {
    weight: 4,
    silent: true,
    act: async ({ host, root, random }) => {
      const dataset = random.pick([root, `${root}/data`]);
      const held = host.dataset(dataset)?.snapshots.filter(({ holds }) => holds.length > 0) ?? [];
      const { name, holds } = pick(random, held);
      await host.zfs('release', holds[0] ?? '', `${dataset}@${name}`);
    },
  },
  'zfs destroy -d': {
    weight: 1,
    silent: true,
    act: ({ host, root, random }) => {
      const { name } = pick(random, host.dataset(root)?.snapshots ?? []);
      return host.zfs('destroy', '-d', `${root}@${name}`);
    },
  },
  'zfs destroy a snapshot': {
    weight: 5,
    silent: true,
    act: ({ host, snapshots, random }) => host.zfs('destroy', pick(random, snapshots)),
  },
  'zfs rename a snapshot': {
    weight: 2,
    act: ({ host, root, snapshots, random }) =>
      host.zfs('rename', pick(random, snapshots), `${root}@vmsnap-renamed-${random.hex(4)}`),
  },
  'zfs rollback': {
    weight: 4,
    act: ({ host, snapshots, random }) => host.zfs('rollback', '-r', pick(random, snapshots)),
  },
  'zfs rename away': {
    weight: 1,
    act: async ({ host, root, disks, renamed, random }) => {
      const from = random.pick([root, ...disks]);
      const to = `zones/away-${random.hex(6)}`;
      await host.zfs('rename', from, to);
      renamed.set(from, to);
      return `${from} -> ${to}`;
    },
  },
  'zfs rename back': {
    weight: 2,
    act: async ({ host, renamed, random }) => {
      const [from, to] = pick(random, [...renamed]);
      renamed.delete(from);
      await host.zfs('rename', to, from);
      return `${to} -> ${from}`;
    },
  },
  'zfs clone': { weight: 2, act: (scene) => clone(scene) },
  'zfs clone and promote': {
    weight: 1,
    act: async (scene) => {
      const name = await clone(scene);
      await scene.host.zfs('promote', name);
      if (scene.random.chance(0.7)) await scene.host.zfs('promote', scene.root);
      return name;
    },
  },
  'zfs receive': {
    weight: 1,
    act: async ({ host, snapshots, scratch, random }) => {
      const to = `zones/scratch-${random.hex(8)}`;
      await host.receive({ from: pick(random, snapshots), to, withProperties: random.chance(0.5) });
      scratch.push(to);
    },
  },
  'zfs receive into a VM': { weight: 1, act: receiveIntoVm },
  'zfs receive that breaks off': {
    weight: 1,
    act: async ({ host, snapshots, random }) => {
      const to = `zones/broken-${random.hex(8)}`;
      const resumable = random.chance(0.5);
      await host.receive({ from: pick(random, snapshots), to, truncated: true, resumable }).catch(refused);
      if (resumable) await host.zfs('receive', '-A', to);
    },
  },
  'zfs create': {
    weight: 2,
    act: async ({ host, scratch, random }) => {
      const name = `zones/scratch-${random.hex(8)}`;
      await host.zfs('create', '-o', 'quota=10g', name);
      scratch.push(name);
    },
  },
  'zfs bookmark': {
    weight: 1,
    act: ({ host, root, snapshots, random }) =>
      host.zfs('bookmark', pick(random, snapshots), `${root}#mark-${random.hex(6)}`),
  },
  'zfs diff': { weight: 1, act: ({ host, snapshots, random }) => host.zfs('diff', pick(random, snapshots)) },
  'zfs upgrade': { weight: 1, act: ({ host, root }) => host.zfs('upgrade', root) },
  'zfs destroy scratch': {
    weight: 4,
    act: async ({ host, scratch, random }) => {
      const name = pick(random, scratch);
      await host.zfs('destroy', '-r', name);
      scratch.splice(scratch.indexOf(name), 1);
    },
  },
  'move config away and back': {
    weight: 1,
    act: async ({ host, zone }) => {
      const config = join(host.path(zone.zonepath), 'config');
      if (!existsSync(config)) return;
      renameSync(config, `${config}.away`);
      await new Promise((resolve) => setTimeout(resolve, 15));
      renameSync(`${config}.away`, config);
    },
  },
};

/** A SimulatorError when there is nothing to pick from: then the action is refused. */
function pick<T>(random: Random, items: readonly T[]): T {
  if (items.length === 0) throw new SimulatorError('chaos', 'there is none');
  return random.pick(items);
}

function nothing(): Promise<void> {
  return Promise.resolve();
}

function settings(random: Random): string[] {
  return [
    `quota=${random.integer(100, 200)}g`,
    `refquota=${random.integer(100, 200)}g`,
    `compression=${random.pick(['lz4', 'gzip', 'off'])}`,
    `recordsize=${random.pick(['16k', '128k'])}`,
    `filesystem_limit=${random.pick(['none', '50'])}`,
    `snapshot_limit=${random.pick(['none', '500'])}`,
    `chaos:note=${random.hex(4)}`,
  ];
}

function changeNics(random: Random): (config: Zonecfg) => void {
  return ({ networks }) => {
    const choice = random.pick(['add', 'remove', 'change', 'swap']);
    const nic = networks.at(-1);
    if (choice === 'add' || nic === undefined) {
      networks.push({
        attributes: {
          physical: `net${networks.length}`,
          'mac-addr': `02:08:20:${random.hex(2)}:${random.hex(2)}:${random.hex(2)}`,
          'global-nic': 'external',
        },
        netAttrs: { ip: `10.9.0.${random.integer(2, 250)}`, netmask: '255.255.255.0' },
      });
    } else if (choice === 'remove') networks.pop();
    else if (choice === 'swap') networks.reverse();
    else Object.assign(nic.netAttrs, { ip: `10.9.0.${random.integer(2, 250)}`, mtu: '9000' });
  };
}

async function addOrRemoveDisk({ host, zone, root, disks, random }: Scene): Promise<void> {
  const [disk] = disks;
  if (disk === undefined) throw new SimulatorError(zone.zonename, 'has no disks');
  const isOld = disk.startsWith(`${root}-disk`);
  const name = `${root}${isOld ? '-' : '/'}disk9`;
  const match = `/dev/zvol/rdsk/${name}`;
  if (host.dataset(name) === undefined) {
    await host.zfs('create', ...random.pick([[], ['-s']]), '-V', `${random.integer(1, 9)}g`, name);
    await host.updateConfig(zone.zonename, ({ devices }) => {
      if (!devices.some((device) => device.match === match))
        devices.push({ match, netAttrs: { model: 'virtio', media: 'disk' } });
    });
  } else {
    await host.updateConfig(zone.zonename, (config) => {
      config.devices = config.devices.filter((device) => device.match !== match);
    });
    await host.zfs('destroy', '-r', name);
  }
}

async function addOrRemoveData({ host, zone, root, random }: Scene): Promise<void> {
  const name = `${root}/data`;
  if (host.dataset(name) === undefined) {
    await host.zfs('create', '-o', 'zoned=on', name);
    await host.zfs('create', `${name}/below`);
    await host.updateConfig(zone.zonename, ({ datasets }) => {
      if (!datasets.includes(name)) datasets.push(name);
    });
  } else if (random.chance(0.5)) {
    await host.zfs('destroy', '-r', name);
  } else {
    await host.updateConfig(zone.zonename, (config) => {
      config.datasets = config.datasets.filter((each) => each !== name);
    });
  }
}

async function clone({ host, snapshots, scratch, random }: Scene): Promise<string> {
  const name = `zones/scratch-${random.hex(8)}`;
  await host.zfs('clone', pick(random, snapshots), name);
  scratch.push(name);
  return name;
}

/** As a migration that goes on: the VM's files are replaced as a whole. */
async function receiveIntoVm({ host, root, scratch, random }: Scene): Promise<void> {
  const [base, next] = [`vmsnap-sync-${random.hex(6)}`, `vmsnap-sync-${random.hex(6)}`];
  const copy = `zones/scratch-${random.hex(8)}`;
  await host.zfs('snapshot', `${root}@${base}`);
  await host.receive({ from: `${root}@${base}`, to: copy });
  scratch.push(copy);
  await host.zfs('snapshot', `${copy}@${next}`);
  await host.receive({ from: `${copy}@${next}`, to: root, incremental: base });
}
