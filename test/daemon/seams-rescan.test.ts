/**
 * A rescan takes in what it could read and keeps the last good of what it could not; it is done again until all of it was
 * read; and it is no complaint about events that come a moment later.
 */
import tap from 'tap';
import type { Fault, SimulatedCommand, SimulatedHost } from '../../lib/simulator/index.js';
import { signal } from '../processes.js';
import { faultyWatch } from '../host/faulty-watch.js';
import { answersLate, changeOf, deaf, zoneOf } from './facts.js';
import { eventually, startTestDaemon, type TestDaemon } from './harness.js';

/** Edits for one zone's part of a listing. */
const kstatOf = (zonename: string, edit: string) =>
  `/"name": "${zonename.slice(0, 30)}"/,/"zonename"/${edit}`;
const lineOf = (start: string, edit: string) => `/^${start.replaceAll('/', '\\/')}[[:space:]]/${edit}`;

const spoilt: readonly (readonly [
  what: string,
  command: SimulatedCommand,
  fault: (zonename: string) => Fault,
  input: string,
])[] = [
  [
    'a kstat without a number',
    'kstat',
    (zone) => ({ edit: kstatOf(zone, 's/"init_pid": [0-9]*/"init_pid": "none"/') }),
    'kstat',
  ],
  ['a kstat that lacks something', 'kstat', (zone) => ({ edit: kstatOf(zone, '{/boot_time/d;}') }), 'kstat'],
  ['no kstat at all', 'kstat', () => ({ exitCode: 2, stderr: 'kstat: out of luck' }), 'kstat'],
  ['a zoneadm line cut short', 'zoneadm', (zone) => ({ edit: `s/:${zone}:running:.*/:${zone}/` }), 'record'],
  [
    'a line of zfs list without a number',
    'zfs',
    (zone) => ({ edit: lineOf(`zones/${zone}`, 's/filesystem[[:space:]][0-9]*/filesystem\tx/') }),
    'datasets',
  ],
];

for (const [what, command, fault, input] of spoilt) {
  void tap.test(`a rescan that meets ${what} keeps what was known, and takes in the rest`, async (t) => {
    const daemon = await startTestDaemon(t, { watch: deaf });
    const { host } = daemon;
    const [zonename, other] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
    const before = await daemon.get(`/vms/${zonename}`);
    const listening = await daemon.listen();
    host.dropEvents({ zones: true, zfs: true });
    await host.zfs('set', 'quota=77g', `zones/${other}`);
    await host.stop(other);
    host.setFault(command, fault(zonename));
    await daemon.rescan();
    t.equal((await daemon.get(`/vms/${zonename}`)).text, before.text);
    t.match(await daemon.vm(other), { quota: 77, state: 'stopped' });
    const ofThisZone = (await daemon.status()).loadErrors.filter(({ zone }) => zone === zonename);
    t.match(ofThisZone, [{ input }], 'it is on record');
    host.clearFaults(command);
    await daemon.rescan();
    t.strictSame((await daemon.status()).loadErrors, [], 'until it is read again');
    t.equal((await daemon.get(`/vms/${zonename}`)).text, before.text);
    t.notOk(
      listening.events.some((event) => event.zonename === zonename),
      'nothing was told of it',
    );
  });
}

void tap.test('a rescan that meets an unreadable line of a dataset of no VM takes in the rest', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  host.dropEvents({ zfs: true });
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  host.setFault('zfs', { edit: lineOf('zones/swap', 's/volume[[:space:]][0-9]*/volume\tx/') });
  await daemon.rescan();
  t.match(await daemon.vm(zonename), { quota: 77 });
  t.match(await daemon.status(), { loadErrors: [], refreshErrors: [{ err: /zones\/swap/ }] });
});

void tap.test(
  'a rescan that failed is done again, though one of the datasets succeeds first',
  { timeout: 20_000 },
  async (t) => {
    const daemon = await startTestDaemon(t, { watch: deaf });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    host.dropEvents({ zones: true });
    await host.stop(zonename);
    host.setFault('zoneadm', { full: true, exitCode: 1, stderr: 'zoneadm: out of luck' });
    await daemon.rescan();
    await host.zfs('set', 'compression=gzip-3', 'zones');
    const ofDatasets = ({ msg }: Record<string, unknown>) => String(msg).startsWith('rescan (zones changed)');
    await eventually(() => daemon.log.some(ofDatasets), 'the datasets are listed');
    host.clearFaults('zoneadm');
    await eventually(async () => (await daemon.vm(zonename)).state === 'stopped', 'it is done again');
  },
);

void tap.test('a zone that is moved during a rescan is watched where it is', async (t) => {
  const daemon = await startTestDaemon(t, {
    prepare: (host) => host.stop(zoneOf(host, 'joyent-minimal')),
  });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  const zoneadm = answersLate(host, '/usr/sbin/zoneadm', 'list -p -c');
  const rescan = daemon.rescan();
  await zoneadm.asked;
  await host.moveZone(zonename, 'zones/moved');
  await listening.until(changeOf(zonename, 'zonepath', '/zones/moved'));
  zoneadm.answer();
  await rescan;
  const tags = host.configFile(zonename, 'tags');
  const { json } = await daemon.get('/status?full=true');
  const { watching } = (json as { fswatcher: { watching: string[] } }).fswatcher;
  if (!t.ok(watching.includes(tags), 'it is watched')) return;
  await host.setTags(zonename, { role: 'moved' });
  await listening.until(changeOf(zonename, 'tags.role', 'moved'));
});

interface LateEvent {
  readonly happens: (host: SimulatedHost, zonename: string) => Promise<unknown>;
  readonly shows: readonly [path: string, value: unknown];
  readonly source: string;
  /** Which listing keeps the rescan from ending. */
  readonly other: readonly [command: string, pattern: string];
}

const lateEvents: Readonly<Record<string, LateEvent>> = {
  'a new state': {
    happens: (host, zone) => host.stop(zone),
    shows: ['state', 'stopped'],
    source: 'zone-events',
    other: ['/usr/sbin/zfs', 'list -H*-d 2'],
  },
  'a new quota': {
    happens: (host, zone) => host.zfs('set', 'quota=77g', `zones/${zone}`),
    shows: ['quota', 77],
    source: 'zfs-events',
    other: ['/usr/sbin/zoneadm', 'list -p -c'],
  },
  'a new tag': {
    happens: (host, zone) => host.setTags(zone, { role: 'db' }),
    shows: ['tags.role', 'db'],
    source: 'file-events',
    other: ['/usr/sbin/zfs', 'list -H*-d 2'],
  },
};

for (const [what, { happens, shows, source, other }] of Object.entries(lateEvents)) {
  void tap.test(`${what} that a rescan met a moment before its event was not missed`, async (t) => {
    const watches = faultyWatch();
    const daemon = await startTestDaemon(t, { watch: watches.source });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const listening = await daemon.listen();
    const before = await heard(daemon, source);
    const sysevents = host.syseventPids();
    for (const pid of sysevents) signal(pid, 'SIGSTOP');
    watches.holdBack();
    await happens(host, zonename);
    const listing = answersLate(host, ...other);
    const rescan = daemon.rescan();
    await listening.until(changeOf(zonename, ...shows));
    for (const pid of sysevents) signal(pid, 'SIGCONT');
    await watches.letGo();
    await eventually(async () => (await heard(daemon, source)) > before, 'the event is here');
    listing.answer();
    await rescan;
    await eventually(async () => (await daemon.status()).queue.idle, 'nothing is left to read');
    t.strictSame((await daemon.status()).missed, { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 });
    const line = daemon.log.find(({ msg }) => String(msg).startsWith('rescan (test)'));
    t.match(line, { level: 30, msg: /\(0 missed\)/ }, 'and nobody is warned');
  });
}

async function heard(daemon: TestDaemon, source: string): Promise<number> {
  return (await daemon.status()).sources.find(({ name }) => name === source)?.events ?? 0;
}
