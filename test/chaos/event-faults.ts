/**
 * Sysevents that are lost, late, broken or about nothing.
 */
import { historyLine, zoneStatusLine, type SimulatedHost } from '../../lib/simulator/index.js';
import { signal } from '../processes.js';
import { channels, type FaultKinds, type FaultKit, type Inject } from './fault-kit.js';

/** See the module's head. */
export function eventFaults(kit: FaultKit): FaultKinds {
  const { host, random, breakSysevents, killSysevents } = kit;
  const ofChannels = channels.flatMap((channel): [string, Inject][] => [
    [
      `${channel} events dropped`,
      () => {
        host.dropEvents({ [channel]: true });
        return () => {
          host.dropEvents({ [channel]: false });
        };
      },
    ],
    [
      `${channel} sysevent killed`,
      () => {
        killSysevents(channel);
        return undefined;
      },
    ],
    [
      `${channel} sysevent stopped`,
      () => {
        const pids = host.syseventPids(channel);
        for (const pid of pids) signal(pid, 'SIGSTOP');
        return () => {
          for (const pid of pids) signal(pid, 'SIGCONT');
        };
      },
    ],
    [
      `${channel} garbage`,
      () => {
        const garbage = ['garbage', '{', '[]', '{"type":"event"}', '\u0000\u0001', 'x'.repeat(300_000)];
        host.postEvents(channel, [random.pick(garbage)]);
        return undefined;
      },
    ],
  ]);
  return {
    ...Object.fromEntries(ofChannels),
    ...harmlessEvents(kit),
    'sysevent writes to stderr': () => breakSysevents({ stderr: 'sysevent: something is wrong' }),
    'sysevent never ready': () => breakSysevents({ noReady: true }),
    'sysevent ends at once': () => breakSysevents({ exitCode: random.pick([0, 1]) }),
    'sysevent missing': () => breakSysevents({ missing: true }),
  };
}

/** Events after which nothing may change, as nothing has happened. */
export function harmlessEvents({ host, random, trail, zonename }: FaultKit): FaultKinds {
  return {
    'events without data': () => {
      host.postEvents('zones', ['{"type":"event","class":"status","subclass":"ping"}']);
      host.postEvents('zfs', ['{"type":"event","class":"EC_zfs","subclass":"ESC_ZFS_history_event"}']);
      return undefined;
    },
    'spurious events': () => {
      const state = { publisher: 'kernel', oldstate: 'ready', zoneid: 7 } as const;
      const zones = Array.from({ length: 20 }, (_, index) => (index % 2 ? zonename() : `no-zone-${index}`));
      host.postEvents(
        'zones',
        zones.map((each) =>
          zoneStatusLine({
            ...state,
            zonename: each,
            newstate: random.pick(['running', 'free', 'installed']),
          }),
        ),
      );
      host.postEvents(
        'zfs',
        zones.map((each) => historyLine({ name: 'set', dataset: `zones/${each}`, detail: 'x=y', txg: 1 })),
      );
      return undefined;
    },
    'spurious destroy': () => {
      const names = Array.from({ length: 5 }, () => random.pick(namesOf(host, zonename())));
      trail.note(`  of ${names.join(' ')}`);
      host.postEvents(
        'zfs',
        names.map((dataset) => historyLine({ name: 'destroy', dataset, detail: '', txg: 1 })),
      );
      return undefined;
    },
  };
}

/** The datasets of a zone and the snapshots of its root, as far as they are there. */
function namesOf(host: SimulatedHost, zonename: string): readonly string[] {
  const { zonepath, config } = host.zone(zonename);
  const root = zonepath.slice(1);
  const disks = config.devices.map(({ match }) => match.replace('/dev/zvol/rdsk/', ''));
  const snapshots = host.dataset(root)?.snapshots.map(({ name }) => `${root}@${name}`) ?? [];
  const there = [root, ...disks, ...config.datasets].filter((name) => host.dataset(name) !== undefined);
  return there.length === 0 ? ['zones/cores'] : [...there, ...snapshots];
}
