/**
 * Where everything is in a simulated global zone. Everything that the daemon may see is at the paths of a real host; the
 * simulator's own data is below `var/simulator`.
 */
import { join } from 'node:path';

/** The commands that a simulated host has. */
export type SimulatedCommand = 'zoneadm' | 'zfs' | 'sysevent' | 'kstat';

/** The two sysevent channels. */
export type Channel = 'zones' | 'zfs';

/** Where each command is on a real host. */
export const commandPaths: Readonly<Record<SimulatedCommand, string>> = {
  zoneadm: 'usr/sbin/zoneadm',
  zfs: 'usr/sbin/zfs',
  sysevent: 'usr/sbin/sysevent',
  kstat: 'usr/bin/kstat',
};

/** Paths of one tree; see the module's head. */
export type Paths = ReturnType<typeof pathsOf>;

/** The paths of the tree at `root`. */
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- the object below is its own best description
export function pathsOf(root: string) {
  const inTree = (...parts: string[]): string => join(root, ...parts);
  const own = (...parts: string[]): string => join(root, 'var/simulator', ...parts);
  return {
    root,
    /** The file of an absolute path of the host. */
    inTree,
    command: (command: SimulatedCommand) => inTree(commandPaths[command]),
    zonesDirectory: inTree('etc/zones'),
    zonesIndex: inTree('etc/zones/index'),
    zoneXml: (zonename: string) => inTree('etc/zones', `${zonename}.xml`),
    sysinfo: inTree('tmp/.sysinfo.json'),

    simulator: own(),
    commands: own('commands'),
    lock: own('lock'),
    /** How vminfod-sim is started: node, and the program. */
    program: own('vminfod-sim'),
    /** The owner: for a temporary tree, the process that made it. */
    owner: own('owner'),
    counters: own('state/counters.json'),
    seed: own('state/seed'),
    invocations: (command: SimulatedCommand) => own('invocations', command),
    faults: (command: SimulatedCommand) => own('faults', command),
    missing: (command: SimulatedCommand) => own('missing', command),
    channel: (channel: Channel) => own('channels', channel),
    dropped: (channel: Channel) => own('dropped', channel),
    syseventPids: own('sysevent'),

    zoneLines: own('zones'),
    zoneLine: (zonename: string) => own('zones', zonename),
    globalZoneLine: own('zones/.global'),
    zoneByUuid: (uuid: string) => own('uuids', uuid),
    zoneStates: own('state/zones'),
    zoneState: (zonename: string) => own('state/zones', `${zonename}.json`),
    /** kstat lists by instance, so the file names sort like numbers. */
    kstat: (zoneid: number) => own('kstat', String(zoneid).padStart(10, '0')),

    zfsRows: (file: string) => own('zfs', file),
    zfsStates: (pool: string) => own('state/zfs', pool),
    zfsState: (file: string) => own('state/zfs', `${file}.json`),
    savedFiles: (key: string) => own('state/files', `${key}.json`),

    directories: [...hostDirectories.map((each) => inTree(each)), ...ownDirectories.map((each) => own(each))],
  };
}

const hostDirectories = ['etc/zones', 'zones', 'tmp', 'usr/sbin', 'usr/bin'];
const ownDirectories = [
  ...['commands', 'invocations', 'faults', 'missing', 'channels', 'dropped', 'sysevent'],
  ...['zones', 'uuids', 'kstat', 'zfs', 'state/zones', 'state/zfs', 'state/files'],
];
