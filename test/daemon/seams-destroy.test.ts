/**
 * A destroy event only says that something may be gone: a VM loses only what zfs says no longer exists. Late and spurious
 * events come when a name is reused, or when the kernel queues events for long.
 */
import tap, { type Test } from 'tap';
import { historyLine, type SimulatedHost } from '../../lib/simulator/index.js';
import { changeOf, eventsSufficed, isA, zoneOf } from './facts.js';
import { eventually, startTestDaemon, type Listening, type TestDaemon } from './harness.js';

const destroyed = (dataset: string) => historyLine({ name: 'destroy', dataset, detail: '', txg: 1 });

/** All that was posted so far has been heard and answered: a change of another VM that came after it shows. */
async function settled({ host, status }: TestDaemon, listening: Listening): Promise<void> {
  const other = zoneOf(host, 'lx');
  const quota = 100 + listening.events.length;
  await host.zfs('set', `quota=${quota}g`, `zones/${other}`);
  await listening.until(changeOf(other, 'quota', quota));
  await eventually(async () => (await status()).queue.idle, 'nothing is left to read');
}

/** What zfs was asked for. `undefined` among them: for everything. */
function asked(host: SimulatedHost): (string | undefined)[] {
  return host.invocations('zfs').flatMap((argv) => {
    const names = argv.filter((argument) => argument.startsWith('zones'));
    return names.length === 0 ? [undefined] : names;
  });
}

async function unchanged(
  t: Test,
  daemon: TestDaemon,
  listening: Listening,
  before: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [zonename, text] of before) {
    t.equal((await daemon.get(`/vms/${zonename}`)).text, text, `${zonename} is as it was`);
    t.strictSame(
      listening.events.filter((event) => event.zonename === zonename),
      [],
      'and nothing was told of it',
    );
  }
}

async function textsOf({ host, get }: TestDaemon): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const zonename of host.zonenames()) {
    if (zonename !== zoneOf(host, 'lx')) texts.set(zonename, (await get(`/vms/${zonename}`)).text);
  }
  return texts;
}

const stillThere: Readonly<Record<string, (host: SimulatedHost) => string>> = {
  "a VM's root dataset": (host) => `zones/${zoneOf(host, 'joyent-minimal')}`,
  'a snapshot': (host) => `zones/${zoneOf(host, 'bhyve')}@vmsnap-backup1`,
  'a disk': (host) => `zones/${zoneOf(host, 'bhyve')}/disk1`,
  'a disk beside its VM': (host) => `zones/${zoneOf(host, 'kvm')}-disk1`,
  'a delegated dataset': (host) => `zones/${zoneOf(host, 'joyent')}/data`,
  "a delegated dataset's snapshot": (host) => `zones/${zoneOf(host, 'joyent')}/data@indestructible`,
  'the whole pool': () => 'zones',
};

for (const [what, datasetIn] of Object.entries(stillThere)) {
  void tap.test(
    `a destroy event of ${what}, which is still there: zfs is asked, nothing changes`,
    async (t) => {
      const daemon = await startTestDaemon(t, {
        vms: 5,
        prepare: async (host) => {
          const snapshot = `zones/${zoneOf(host, 'joyent')}/data@indestructible`;
          await host.zfs('snapshot', snapshot);
          await host.zfs('hold', 'do_not_destroy', snapshot);
        },
      });
      const { host } = daemon;
      const dataset = datasetIn(host);
      const before = await textsOf(daemon);
      const listening = await daemon.listen();
      host.resetInvocations();
      host.postEvents('zfs', [destroyed(dataset)]);
      await settled(daemon, listening);
      await unchanged(t, daemon, listening, before);
      const [owner = ''] = dataset.split(/[@-]disk|@|\/(?:disk|data)/);
      t.ok(
        asked(host).some((name) => name === undefined || name === 'zones' || name.startsWith(owner)),
        'zfs was asked',
      );
    },
  );
}

void tap.test('a rename event of a dataset that still has its name: nothing changes', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 5 });
  const { host } = daemon;
  const before = await textsOf(daemon);
  const listening = await daemon.listen();
  for (const zonename of before.keys()) {
    const dataset = `zones/${zonename}`;
    host.postEvents('zfs', [historyLine({ name: 'rename', dataset, detail: '-> zones/elsewhere', txg: 1 })]);
  }
  await settled(daemon, listening);
  await unchanged(t, daemon, listening, before);
});

void tap.test('a destroy event that comes when a snapshot of that name was taken again', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const snapshot = `zones/${zonename}@vmsnap-daily`;
  const listening = await daemon.listen();
  await host.zfs('snapshot', snapshot);
  await listening.until(changeOf(zonename, 'snapshots.*'));
  host.dropEvents({ zfs: true });
  await host.zfs('destroy', snapshot);
  await host.zfs('snapshot', snapshot);
  host.dropEvents({ zfs: false });
  host.postEvents('zfs', [destroyed(snapshot)]);
  await settled(daemon, listening);
  t.match(await daemon.vm(zonename), { snapshots: [{ name: 'daily' }] });
});

void tap.test('what was destroyed is gone', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 5 });
  const { host } = daemon;
  const [bhyve, joyent] = [zoneOf(host, 'bhyve'), zoneOf(host, 'joyent')];
  const listening = await daemon.listen();
  await host.zfs('destroy', `zones/${bhyve}@vmsnap-backup1`);
  await host.zfs('destroy', `zones/${bhyve}/disk1`);
  await host.zfs('destroy', '-r', `zones/${joyent}/data`);
  await settled(daemon, listening);
  const vm = await daemon.vm(bhyve);
  t.notMatch(JSON.stringify(vm.snapshots), 'backup1');
  t.match(vm.disks, [{ size: Number }, { size: undefined }]);
  t.match(await daemon.vm(joyent), { zfs_data_recsize: undefined });
  await eventsSufficed(t, daemon, listening);
});

const failing: Readonly<Record<string, (zonename: string) => string>> = {
  'a snapshot': (zonename) => `zones/${zonename}@vmsnap-backup1`,
  'a disk': (zonename) => `zones/${zonename}/disk1`,
};

for (const [what, datasetOf] of Object.entries(failing)) {
  void tap.test(`${what} is destroyed while zfs fails: it is on record, and seen later`, async (t) => {
    const daemon = await startTestDaemon(t, { vms: 5 });
    const { host } = daemon;
    const zonename = zoneOf(host, 'bhyve');
    const before = await textsOf(daemon);
    const listening = await daemon.listen();
    host.setFault('zfs', { match: zonename, exitCode: 1, stderr: 'internal error' });
    await host.zfs('destroy', datasetOf(zonename));
    await settled(daemon, listening);
    await unchanged(t, daemon, listening, before);
    t.match((await daemon.status()).loadErrors, [{ zone: zonename, input: 'datasets' }]);
    host.clearFaults('zfs');
    await listening.until(isA('modify', zonename));
    await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'it is mended');
    await eventsSufficed(t, daemon, listening);
  });
}
