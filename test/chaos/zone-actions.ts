/**
 * What an operator does to zones: their configuration, files and state.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { vmKinds, type Random, type Zonecfg } from '../../lib/simulator/index.js';
import { GiB, moveAway, type Actions } from './scene.js';

/** See the module's head. */
export const zoneActions: Actions = {
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
  'move config away and back': {
    weight: 1,
    act: async ({ host, zone, random }) => {
      const putBack = moveAway(host, random, join(host.path(zone.zonepath), 'config'));
      await wait(15);
      putBack();
    },
  },
};

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
