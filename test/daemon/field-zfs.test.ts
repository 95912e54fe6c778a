/** What the platform's vminfod got wrong on real hosts, as far as it had to do with ZFS and commands: a test for each, named after it. */
import tap from 'tap';
import type { SimulatedHost, SimulatedSnapshot } from '../../lib/simulator/index.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { answersLate, changeOf, eventsSufficed, isA, toldOf, zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';
import { killHanging } from '../processes.js';

void tap.test(
  'A storm of ZFS events (a container build, a receive, hourly snapshots of every dataset) queued one `zfs list` each and starved everything else',
  async (t) => {
    const daemon = await startTestDaemon(t, { vms: 12 });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent');
    const listening = await daemon.listen();
    host.resetInvocations();
    let events = (await host.zfs('snapshot', '-r', 'zones@vmsnap-hourly')).length;
    for (let layer = 0; layer < 100; layer++) {
      events += (await host.zfs('create', `zones/${zonename}/data/layer${layer}`)).length;
      events += (await host.zfs('snapshot', `zones/${zonename}@vmsnap-layer${layer}`)).length;
      events += (await host.zfs('destroy', `zones/${zonename}@vmsnap-layer${layer}`)).length;
    }
    await host.receive({ from: `zones/${zonename}@vmsnap-hourly`, to: 'zones/standby' });
    await host.setTags(zonename, { role: 'db' });
    await listening.until(changeOf(zonename, 'tags.role', 'db'));
    for (const each of host.zonenames()) await listening.until(changeOf(each, 'snapshots.*'));
    await eventually(async () => (await daemon.status()).queue.idle, 'all is done');
    const started = host.invocations('zfs').length;
    t.comment(`${events} events, ${started} zfs`);
    t.ok(started < events / 10);
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('Thousands of snapshots: the full listing took longer than the start timeout', async (t) => {
  const daemon = await startTestDaemon(t, {
    booting: true,
    prepare: async (host) => {
      await addSnapshots(host, `zones/${zoneOf(host, 'joyent-minimal')}`, 5_000);
    },
  });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  // It answers when the test says so, however long that takes.
  t.match(await daemon.status(), { state: 'booting' });
  await eventually(async () => (await daemon.get('/ping')).status === 200, 'it is ready');
  const late = answersLate(host, '/usr/sbin/zfs', 'list -H*-d 2');
  const rescan = daemon.rescan();
  await late.asked;
  t.equal((await daemon.get('/ping')).status, 200);
  late.answer();
  await rescan;
  t.equal(named(await daemon.vm(zonename), 'many-').length, 5_000);
  t.match(await daemon.status(), { refreshErrors: [] });
});

void tap.test('One command that hung held the only worker: every later event waited behind it', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 5 });
  const { host } = daemon;
  const [hung, other] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
  const listening = await daemon.listen();
  for (const command of ['zoneadm', 'zfs'] as const) host.setFault(command, { match: hung, hang: true });
  host.resetInvocations();
  await host.restartInit(hung);
  await host.zfs('set', 'quota=70g', `zones/${hung}`);
  await eventually(
    () => host.invocations('zoneadm').length > 0 && host.invocations('zfs').length > 0,
    'both hang',
  );
  await host.setTags(other, { role: 'db' });
  await listening.until(changeOf(other, 'tags.role', 'db'));
  await host.zfs('set', 'quota=77g', `zones/${other}`);
  await listening.until(changeOf(other, 'quota', 77));
  await host.stop(other);
  await listening.until(changeOf(other, 'state', 'stopped'));
  const created = await host.createZone();
  await listening.until(isA('create', created));
  host.clearFaults();
  await killHanging();
  await listening.until(changeOf(hung, 'init_restarts', 1));
  await listening.until(changeOf(hung, 'quota', 70));
  await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'nothing is left of it');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('A zone deleted between a rollback event and its handling crashed the daemon', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  await host.zfs('snapshot', `zones/${zonename}@vmsnap-safe`);
  await eventually(async () => named(await daemon.vm(zonename), 'safe').length === 1, 'it is there');
  const late = answersLate(host, '/usr/sbin/zfs', `list*-d 1 zones/${zonename}`);
  await host.zfs('rollback', '-r', `zones/${zonename}@vmsnap-safe`);
  await late.asked;
  await host.destroyZone(zonename);
  await listening.until(isA('delete', zonename));
  const from = listening.events.length;
  late.answer();
  await eventually(async () => (await daemon.status()).queue.idle, 'all is done');
  t.equal((await daemon.get(`/vms/${zonename}`)).status, 404);
  t.strictSame(toldOf(zonename, listening.events.slice(from)), []);
  t.match(await daemon.status(), { loadErrors: [] });
  await eventsSufficed(t, daemon, listening);
});

void tap.test('A rollback left tags and metadata stale', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'lx');
  const listening = await daemon.listen();
  const before = await daemon.vm(zonename);
  await host.zfs('snapshot', `zones/${zonename}@vmsnap-safe`);
  await host.setTags(zonename, { role: 'changed' });
  await host.setMetadata(zonename, 'customer_metadata', { key: 'changed' });
  await host.setMetadata(zonename, 'internal_metadata', { key: 'changed' });
  await listening.until(changeOf(zonename, 'internal_metadata.key'));
  await listening.until(changeOf(zonename, 'tags.role'));
  await host.zfs('rollback', `zones/${zonename}@vmsnap-safe`);
  const { tags, customer_metadata, internal_metadata } = before;
  await eventually(async () => {
    const vm = await daemon.vm(zonename);
    return (
      JSON.stringify([vm.tags, vm.customer_metadata, vm.internal_metadata]) ===
      JSON.stringify([tags, customer_metadata, internal_metadata])
    );
  }, 'they are what they were');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('stdout read to `exit` instead of `close`: the end of a long listing was lost', async (t) => {
  const daemon = await startTestDaemon(t, {
    vms: 12,
    prepare: async (host) => {
      for (const zonename of host.zonenames()) await addSnapshots(host, `zones/${zonename}`, 500);
    },
  });
  for (const vm of await daemon.vms()) t.equal(named(vm, 'many-').length, 500);
  await daemon.rescan();
  for (const vm of await daemon.vms()) t.equal(named(vm, 'many-').length, 500);
  t.strictSame((await daemon.status()).refreshLog?.at(-1)?.vmChanges, []);
});

void tap.test(
  '`refreservation` not a whole number of MiB; disks sorted `disk10` before `disk2`',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'bhyve');
    const root = `zones/${zonename}`;
    const numbers = [10, 2, 11, 3];
    for (const number of numbers) await host.zfs('create', '-V', '1g', `${root}/disk${number}`);
    await host.updateConfig(zonename, (config) => {
      for (const number of numbers)
        config.devices.push({ match: `/dev/zvol/rdsk/${root}/disk${number}`, netAttrs: { model: 'virtio' } });
    });
    const disks = async () =>
      (await daemon.vm(zonename)).disks as readonly {
        path: string;
        size?: number;
        refreservation?: number;
      }[];
    await eventually(
      async () => (await disks()).filter(({ size }) => size === 1024).length === 4,
      'they are there',
    );
    t.strictSame(
      (await disks()).map(({ path }) => path.replace(/.*\/disk/, '')),
      ['0', '1', '2', '3', '10', '11'],
    );
    await host.zfs('set', `refreservation=${3 * 2 ** 20 + 1}`, `${root}/disk2`);
    await eventually(async () => (await disks())[2]?.refreservation === 4, 'it is rounded up');
    await eventsSufficed(t, daemon);
  },
);

/** Snapshots of a VM's dataset that were always there. */
async function addSnapshots(host: SimulatedHost, name: string, count: number): Promise<void> {
  const dataset = host.dataset(name);
  if (dataset === undefined) throw new Error(`no dataset ${name}`);
  const snapshots = Array.from({ length: count }, (_, index): SimulatedSnapshot => ({
    ...{
      name: `vmsnap-many-${index}`,
      id: 100_000 + index,
      creation: 1_767_225_600 + index,
      txg: 100 + index,
    },
    ...{ written: 4096, holds: [], clones: [], properties: {} },
  }));
  await host.importDatasets([{ ...dataset, snapshots: [...dataset.snapshots, ...snapshots] }]);
}

function named(vm: VmObject, prefix: string): readonly { readonly name: string }[] {
  return (vm.snapshots as readonly { readonly name: string }[]).filter(({ name }) => name.startsWith(prefix));
}
