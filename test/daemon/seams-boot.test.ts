/**
 * The daemon boots whatever the first load meets: an unreadable line affects one VM, or none. Until it has booted, every
 * answer says what it waits for.
 */
import tap from 'tap';
import type { Fault, SimulatedCommand, SimulatedHost } from '../../lib/simulator/index.js';
import { changeOf, eventsSufficed, zoneOf } from './facts.js';
import { eventually, startTestDaemon, type Answer, type TestDaemon } from './harness.js';

/** Puts a letter into the number that follows the type in the line of a dataset or snapshot. */
const spoilLineOf = (name: string) =>
  `/^${name.replaceAll('/', '\\/')}[[:space:]]/s/\\([emt][[:space:]]\\)[0-9]/\\1x/`;

/** The answers until the daemon is ready. Throws when it keeps failing. */
async function answersUntilReady(daemon: TestDaemon): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  await eventually(async () => {
    answers.push(await daemon.get('/vms'), await daemon.get('/ping'));
    const isReady = answers.at(-1)?.status === 200;
    // One load may have an error for each of the host's images.
    if (!isReady && (await daemon.status()).refreshErrors.length > 20)
      throw new Error(`the first load fails again and again: ${answers.at(-1)?.text ?? ''}`);
    return isReady;
  }, 'the daemon is ready');
  return answers.filter(({ status }) => status !== 200);
}

const ofNobody: Readonly<Record<string, string>> = {
  'of a volume of no VM': spoilLineOf('zones/swap'),
  'of a filesystem of no VM': spoilLineOf('zones/cores/global'),
  'of an image’s snapshot': spoilLineOf('zones/[^/]*@final'),
  'that is garbage': '${p;s/.*/garbage/;}',
};

for (const [what, edit] of Object.entries(ofNobody)) {
  void tap.test(`a line of zfs list ${what} cannot be read`, async (t) => {
    const daemon = await startTestDaemon(t, {
      booting: true,
      prepare: (host) => {
        host.setFault('zfs', { edit, full: true });
      },
    });
    const { host } = daemon;
    for (const { text } of await answersUntilReady(daemon)) t.match(text, /waiting for \w/);
    t.equal((await daemon.vms()).length, 3);
    t.match(await daemon.status(), { loadErrors: [], refreshErrors: [{ err: /^zfs list: expected / }] });
    const listening = await daemon.listen();
    const zonename = zoneOf(host, 'joyent-minimal');
    await host.zfs('set', 'quota=77g', `zones/${zonename}`);
    await listening.until(changeOf(zonename, 'quota', 77));
    await eventsSufficed(t, daemon, listening);
  });
}

const ofVms: Readonly<Record<string, (host: SimulatedHost) => readonly [zonename: string, dataset: string]>> =
  {
    'its root dataset': (host) => of(zoneOf(host, 'joyent-minimal'), ''),
    'a snapshot of it': (host) => of(zoneOf(host, 'lx'), '@vmsnap-backup1'),
    'a disk of it': (host) => of(zoneOf(host, 'bhyve'), '/disk1'),
    'its delegated dataset': (host) => of(zoneOf(host, 'joyent'), '/data'),
  };

for (const [what, find] of Object.entries(ofVms)) {
  void tap.test(`the line of zfs list of ${what} cannot be read: one VM lacks`, async (t) => {
    const daemon = await startTestDaemon(t, {
      booting: true,
      vms: 5,
      prepare: (host) => {
        host.setFault('zfs', { edit: spoilLineOf(find(host)[1]) });
      },
    });
    const { host } = daemon;
    const [zonename] = find(host);
    for (const { text } of await answersUntilReady(daemon)) t.match(text, /waiting for \w/);
    const others = host.zonenames().filter((each) => each !== zonename);
    t.same((await daemon.vms()).map((vm) => vm.zonename).sort(), others, 'the others are there');
    t.match(await daemon.status(), { loadErrors: [{ zone: zonename, input: 'datasets' }] });
    t.match(await daemon.get(`/vms/${zonename}`), {
      status: 503,
      text: /cannot read datasets: zfs list: /,
    });
    host.clearFaults('zfs');
    await eventually(async () => (await daemon.get(`/vms/${zonename}`)).status === 200, 'it is readable');
    t.match(await daemon.vm(zonename), { quota: Number, zfs_filesystem: `zones/${zonename}` });
    t.strictSame((await daemon.status()).loadErrors, []);
    await eventsSufficed(t, daemon);
  });

  void tap.test(`only the full listing has no good line of ${what}: no VM lacks`, async (t) => {
    const daemon = await startTestDaemon(t, {
      booting: true,
      vms: 5,
      prepare: (host) => {
        host.setFault('zfs', { edit: spoilLineOf(find(host)[1]), full: true });
      },
    });
    for (const { text } of await answersUntilReady(daemon)) t.match(text, /waiting for \w/);
    await eventually(async () => (await daemon.vms()).length === 5, 'all are there');
    t.strictSame((await daemon.status()).loadErrors, []);
  });
}

const slow: readonly (readonly [what: string, command: SimulatedCommand, fault: Fault])[] = [
  ['zoneadm is slow', 'zoneadm', { delayMs: 300 }],
  ['kstat is slow', 'kstat', { delayMs: 300 }],
  ['zfs is slow', 'zfs', { delayMs: 300 }],
  ['a listing of what is deep down is slow', 'zfs', { match: '@indestructible', delayMs: 300 }],
  ['sysevent does not get ready', 'sysevent', { noReady: true }],
];

for (const [what, command, fault] of slow) {
  void tap.test(`while ${what} at boot, every answer says what is waited for`, async (t) => {
    const daemon = await startTestDaemon(t, {
      booting: true,
      vms: 5,
      prepare: (host) => {
        host.setFault(command, fault);
      },
    });
    const answers = await answersUntilReady(daemon);
    t.ok(answers.length > 0, 'there were some');
    for (const answer of answers) t.match(answer, { status: 503, text: /waiting for \w/ });
    t.equal((await daemon.vms()).length, 5, 'and then all VMs are there');
  });
}

function of(zonename: string, below: string): readonly [string, string] {
  return [zonename, `zones/${zonename}${below}`];
}

void tap.test(
  'the first load lists the snapshots that protect delegated datasets in one command',
  async (t) => {
    const { host, get, vms } = await startTestDaemon(t, { vms: 30 });
    const delegating = (await vms()).filter(({ datasets = [] }) => datasets.length > 0);
    t.ok(delegating.length > 1, `${delegating.length} zones have one`);
    const listings = host.invocations('zfs').filter((argv) => argv.some((each) => each.includes('@indestr')));
    t.equal(listings.length, 1);
    t.equal((await get('/ping')).status, 200);
  },
);

void tap.test(
  'if that command fails, each is listed alone, and only what still fails is an error',
  async (t) => {
    const daemon = await startTestDaemon(t, {
      vms: 12,
      prepare: (host) => {
        host.setFault('zfs', { match: `zones/${zoneOf(host, 'joyent')}/data@indestructible`, exitCode: 2 });
      },
    });
    t.equal((await daemon.vms()).length, 12, 'a VM is not missing for want of it');
    const { loadErrors } = await daemon.status();
    t.match(loadErrors, [{ zone: zoneOf(daemon.host, 'joyent') }]);
    t.equal(loadErrors.length, 1);
    daemon.host.clearFaults('zfs');
    await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'it is read again');
    await eventsSufficed(t, daemon);
  },
);
