/**
 * What an operator does to datasets, with every subcommand that the simulated zfs has.
 */
import { SimulatorError, type Random } from '../../lib/simulator/index.js';
import { pick, refused, type Actions, type Scene } from './scene.js';

/** See the module's head. */
export const zfsActions: Actions = {
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
};

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
