/** What each ZFS history event does to the VMs: a test for each action, and for what holds for all of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import tap from 'tap';
import { historyLine } from '../../lib/simulator/index.js';
import { answersLate, changeOf, deaf, eventsSufficed, toldOf, zoneOf } from './facts.js';
import { posted } from '../simulator/posted.js';
import { eventually, startTestDaemon, type TestDaemon } from './harness.js';

const anyName = [
  ...['create', 'clone', 'snapshot', 'hold', 'release', 'finish receiving', 'resume receive', 'bookmark'],
  ...['upgrade', 'defer_destroy', 'destroy begin', 'promote', 'set', 'inherit', 'redact', 'name of tomorrow'],
];

void tap.test('any name, known or not: list the dataset again, replace what is known of it', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  for (const [index, name] of anyName.entries()) {
    await withoutEvents(daemon, 'set', `quota=${100 + index}g`, `zones/${zonename}`);
    host.postEvents('zfs', [historyLine({ name, dataset: `zones/${zonename}`, detail: '', txg: 1 })]);
    t.ok(await listening.until(changeOf(zonename, 'quota', 100 + index)), name);
  }
  await eventsSufficed(t, daemon, listening);
});

void tap.test('create, clone, finish receiving: a disk that was missing is there', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'bhyve');
  const root = `zones/${zonename}`;
  const listening = await daemon.listen();
  await host.updateConfig(zonename, (config) => {
    for (const disk of ['disk7', 'disk8', 'disk9'])
      config.devices.push({ match: `/dev/zvol/rdsk/${root}/${disk}`, netAttrs: { model: 'virtio' } });
  });
  await listening.until(changeOf(zonename, 'disks.*'));
  t.match(await diskOf(daemon, zonename, 'disk7'), { missing: true });

  await host.zfs('create', '-V', '1g', `${root}/disk7`);
  await eventually(async () => (await diskOf(daemon, zonename, 'disk7'))?.['size'] === 1024, 'created');
  await host.zfs('snapshot', `${root}/disk7@origin`);
  await host.zfs('clone', `${root}/disk7@origin`, `${root}/disk8`);
  await eventually(async () => (await diskOf(daemon, zonename, 'disk8'))?.['size'] === 1024, 'cloned');
  await host.receive({ from: `${root}/disk7@origin`, to: `${root}/disk9` });
  await eventually(async () => (await diskOf(daemon, zonename, 'disk9'))?.['size'] === 1024, 'received');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('snapshot, hold, release: snapshots and indestructible_zoneroot', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const root = `zones/${zonename}`;
  const listening = await daemon.listen();
  await host.zfs('snapshot', `${root}@vmsnap-now`);
  await listening.until(changeOf(zonename, 'snapshots.*'));
  t.match(await daemon.vm(zonename), { snapshots: [{ name: 'now' }] });
  await host.zfs('snapshot', `${root}@indestructible`);
  await host.zfs('hold', 'keep', `${root}@indestructible`);
  await listening.until(changeOf(zonename, 'indestructible_zoneroot', true));
  await host.zfs('release', 'keep', `${root}@indestructible`);
  await eventually(async () => !('indestructible_zoneroot' in (await daemon.vm(zonename))), 'released');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('set, inherit: the same; of an ancestor, its descendants inherit', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  await host.zfs('inherit', 'compression', `zones/${zonename}`);
  await host.zfs('set', 'compression=gzip-7', 'zones');
  await listening.until(changeOf(zonename, 'zfs_root_compression', 'gzip-7'));
  await host.zfs('set', 'compression=zle', `zones/${zonename}`);
  await listening.until(changeOf(zonename, 'zfs_root_compression', 'zle'));
  const from = listening.events.length;
  await host.zfs('inherit', 'compression', `zones/${zonename}`);
  await listening.until(changeOf(zonename, 'zfs_root_compression', 'gzip-7'), from);
  await eventsSufficed(t, daemon, listening);
});

void tap.test(
  'rename: the old name and its subtree are gone, the new one is listed with its subtree',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'bhyve');
    const root = `zones/${zonename}`;
    const listening = await daemon.listen();
    const before = await daemon.vm(zonename);
    await host.zfs('rename', root, 'zones/elsewhere');
    await eventually(async () => (await diskOf(daemon, zonename, 'disk0'))?.['missing'] === true, 'gone');
    t.match(await daemon.vm(zonename), { zfs_filesystem: undefined, quota: undefined });
    await host.zfs('rename', 'zones/elsewhere', root);
    await eventually(async () => isDeepStrictEqual(await daemon.vm(zonename), before), 'all is as before');
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('rename to `@<new snapshot>`: the snapshot has its new name', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  await host.zfs('snapshot', `zones/${zonename}@vmsnap-old`);
  await listening.until(changeOf(zonename, 'snapshots.*'));
  await host.zfs('rename', `zones/${zonename}@vmsnap-old`, 'vmsnap-new');
  await eventually(async () => namesOfSnapshots(await daemon.vm(zonename)).includes('new'), 'renamed');
  t.notOk(namesOfSnapshots(await daemon.vm(zonename)).includes('old'));
  await eventsSufficed(t, daemon, listening);
});

void tap.test('promote: snapshots moved here from the origin without an event', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  await host.zfs('snapshot', `zones/${zonename}@vmsnap-moves`);
  await eventually(async () => namesOfSnapshots(await daemon.vm(zonename)).includes('moves'), 'it is there');
  await host.zfs('clone', `zones/${zonename}@vmsnap-moves`, 'zones/copy');
  await host.zfs('promote', 'zones/copy');
  await eventually(async () => !namesOfSnapshots(await daemon.vm(zonename)).includes('moves'), 'it moved');
  await eventsSufficed(t, daemon, listening);
});

void tap.test(
  'destroy: zfs is asked, and what it does not know any more is gone, with its subtree',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'bhyve');
    const root = `zones/${zonename}`;
    const listening = await daemon.listen();
    await host.zfs('snapshot', `${root}@vmsnap-short`);
    await eventually(
      async () => namesOfSnapshots(await daemon.vm(zonename)).includes('short'),
      'it is there',
    );
    await withoutEvents(daemon, 'destroy', '-r', `${root}/disk1`);
    host.resetInvocations();
    await host.zfs('destroy', `${root}@vmsnap-short`);
    await eventually(
      async () => !namesOfSnapshots(await daemon.vm(zonename)).includes('short'),
      'it is gone',
    );
    host.postEvents('zfs', [historyLine({ name: 'destroy', dataset: `${root}/disk1`, detail: '', txg: 1 })]);
    await eventually(
      async () => (await diskOf(daemon, zonename, 'disk1'))?.['missing'] === true,
      'disk1 is gone',
    );
    const asked = host.invocations('zfs').flat();
    t.ok(
      asked.includes(`${root}@vmsnap-short`) && asked.includes(`${root}/disk1`),
      'an event is not believed',
    );
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('defer_destroy: list again; the snapshot goes with its last hold', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const root = `zones/${zonename}`;
  const listening = await daemon.listen();
  await host.zfs('snapshot', `${root}@vmsnap-held`);
  await host.zfs('hold', 'keep', `${root}@vmsnap-held`);
  await host.zfs('destroy', '-d', `${root}@vmsnap-held`);
  await host.zfs('set', 'quota=77g', root);
  await listening.until(changeOf(zonename, 'quota', 77));
  t.ok(namesOfSnapshots(await daemon.vm(zonename)).includes('held'));
  await host.zfs('release', 'keep', `${root}@vmsnap-held`);
  await eventually(async () => !namesOfSnapshots(await daemon.vm(zonename)).includes('held'), 'it is gone');
  await eventsSufficed(t, daemon, listening);
});

void tap.test(
  '`clone swap` on <ds>/%rollback: files change without a file event, and are watched anew',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const root = `zones/${zonename}`;
    const listening = await daemon.listen();
    await host.setTags(zonename, { role: 'before' });
    await host.zfs('snapshot', `${root}@vmsnap-safe`);
    await host.setTags(zonename, { role: 'after' });
    await listening.until(changeOf(zonename, 'tags.role', 'after'));
    let from = listening.events.length;
    await host.zfs('rollback', '-r', `${root}@vmsnap-safe`);
    await listening.until(changeOf(zonename, 'tags.role', 'before'), from);
    from = listening.events.length;
    const tags = host.configFile(zonename, 'tags');
    writeFileSync(tags, readFileSync(tags, 'utf8').replace('before', 'in place'));
    await listening.until(changeOf(zonename, 'tags.role', 'in place'), from);
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test(
  '`clone swap` on <ds>/%rollback: XML, config files and lastexited are read again',
  async (t) => {
    const daemon = await startTestDaemon(t, { vms: 4, watch: deaf });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent');
    const listening = await daemon.listen();
    await host.setTags(zonename, { role: 'new' });
    await host.setMetadata(zonename, 'customer_metadata', { key: 'new' });
    await host.setRoutes(zonename, { '10.9.0.0/16': '10.0.0.1' });
    await host.writeLastExited(zonename, 768);
    await host.updateConfig(zonename, { attrs: { alias: 'new' } });
    const dataset = `zones/${zonename}/%rollback`;
    host.postEvents('zfs', [
      historyLine({ name: 'clone swap', dataset, detail: `parent=${zonename}`, txg: 1 }),
    ]);
    await eventually(async () => (await daemon.vm(zonename)).alias === 'new', 'it was read again');
    t.match(await daemon.vm(zonename), {
      ...{ tags: { role: 'new' }, customer_metadata: { key: 'new' }, exit_status: 3 },
      routes: { '10.9.0.0/16': '10.0.0.1' },
    });
    t.equal(listening.events.length, 1, 'what happened at once is told at once');
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('`clone swap` on <ds>/%recv: an incremental receive, snapshots and files', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const root = `zones/${zonename}`;
  const listening = await daemon.listen();
  await host.setTags(zonename, { role: 'base' });
  await host.zfs('snapshot', `${root}@base`);
  await host.receive({ from: `${root}@base`, to: 'zones/standby' });
  await host.setTags(zonename, { role: 'sent' });
  await host.zfs('snapshot', `${root}@vmsnap-next`);
  await host.receive({ from: `${root}@vmsnap-next`, to: 'zones/standby', incremental: 'base' });
  await host.setTags(zonename, { role: 'overwritten' });
  await listening.until(changeOf(zonename, 'tags.role', 'overwritten'));
  const from = listening.events.length;
  await host.zfs('rollback', '-r', `${root}@base`);
  await host.receive({ from: 'zones/standby@vmsnap-next', to: root, incremental: 'base' });
  await listening.until(changeOf(zonename, 'tags.role', 'sent'), from);
  await eventually(async () => namesOfSnapshots(await daemon.vm(zonename)).includes('next'), 'its snapshot');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('other actions on a %-named dataset, and receive: nothing', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename, other] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
  const listening = await daemon.listen();
  host.resetInvocations();
  for (const name of ['receive', 'set', 'snapshot', 'finish receiving', 'destroy'])
    host.postEvents('zfs', [historyLine({ name, dataset: `zones/${zonename}/%recv`, detail: '', txg: 1 })]);
  host.postEvents('zfs', [
    historyLine({ name: 'receive', dataset: `zones/${zonename}`, detail: '', txg: 1 }),
  ]);
  await host.zfs('set', 'quota=77g', `zones/${other}`);
  await listening.until(changeOf(other, 'quota', 77));
  t.equal(host.invocations('zfs').length, 1, 'only the dataset after them was listed');
  t.notOk(host.invocations('zfs')[0]?.some((argument) => argument.includes(zonename)));
  t.equal(listening.events.length, 1);
});

void tap.test('`zfs destroy -r` gives an event per dataset', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 5 });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent');
  const listening = await daemon.listen();
  t.match(await daemon.vm(zonename), { zfs_data_recsize: Number });
  await host.zfs('snapshot', '-r', `zones/${zonename}/data@vmsnap-x`);
  await host.zfs('destroy', '-r', `zones/${zonename}/data`);
  await eventually(async () => !('zfs_data_recsize' in (await daemon.vm(zonename))), 'data is gone');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('not every change has an event: the rescan finds the size of a sparse volume', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'bhyve');
  const root = `zones/${zonename}`;
  await host.updateConfig(zonename, (config) => {
    config.devices.push({ match: `/dev/zvol/rdsk/${root}/disk7`, netAttrs: { model: 'virtio' } });
  });
  await host.zfs('create', '-s', '-V', '1g', `${root}/disk7`);
  await eventually(async () => (await diskOf(daemon, zonename, 'disk7'))?.['size'] === 1024, 'created');
  // A listing for an event of the creation would find the new size, too.
  await eventually(async () => {
    const { queue, sources } = await daemon.status();
    const heard = sources.find(({ name }) => name === 'zfs-events')?.events;
    return queue.idle && heard === posted(host, 'zfs').length;
  }, 'all that was posted is answered');
  t.strictSame(await host.zfs('set', 'volsize=2g', `${root}/disk7`), []);
  await daemon.rescan();
  t.match(await diskOf(daemon, zonename, 'disk7'), { size: 2048 });
  t.match(await daemon.status(), { missed: { 'zfs-events': 1 } });
});

void tap.test('a listing that was already running when the event came cannot answer it', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const root = `zones/${zonename}`;
  const listening = await daemon.listen();
  const late = answersLate(host, '/usr/sbin/zfs', `list* ${root}*`);
  await host.zfs('set', 'quota=70g', root);
  await late.asked; // It has read 70, and not said so yet.
  await host.zfs('set', 'quota=71g', root);
  late.answer();
  await listening.until(changeOf(zonename, 'quota', 71));
  t.match(await daemon.vm(zonename), { quota: 71 });
  await eventsSufficed(t, daemon, listening);
});

void tap.test('which VM: root, disk of either layout, delegated dataset; below data, nothing', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 5 });
  const { host } = daemon;
  const [bhyve, kvm, joyent] = [zoneOf(host, 'bhyve'), zoneOf(host, 'kvm'), zoneOf(host, 'joyent')];
  const listening = await daemon.listen();
  await host.zfs('set', 'refreservation=2g', `zones/${bhyve}/disk0`);
  await listening.until((event) => event.zonename === bhyve);
  await host.zfs('set', 'compression=gzip-3', `zones/${kvm}-disk0`);
  await listening.until((event) => event.zonename === kvm);
  await host.zfs('set', 'recordsize=4k', `zones/${joyent}/data`);
  await listening.until(changeOf(joyent, 'zfs_data_recsize', 4096));
  t.strictSame(toldOf(bhyve, listening.events), ['disks.*.refreservation']);
  t.strictSame(toldOf(kvm, listening.events), ['disks.*.compression']);

  host.resetInvocations();
  await host.zfs('set', 'recordsize=8k', `zones/${joyent}/data/pg`);
  await host.zfs('snapshot', '-r', `zones/${joyent}/data/pg@x`);
  await host.zfs('set', 'quota=77g', `zones/${joyent}`);
  await listening.until(changeOf(joyent, 'quota', 77));
  t.equal(host.invocations('zfs').length, 1);
  await eventsSufficed(t, daemon, listening);
});

void tap.test('a pool that holds no VM: ignore', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  host.resetInvocations();
  for (const dataset of ['backup', 'backup/2026', 'backup/2026/monday@now'])
    host.postEvents('zfs', [historyLine({ name: 'snapshot', dataset, detail: '', txg: 1, pool: 'backup' })]);
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  await listening.until(changeOf(zonename, 'quota', 77));
  t.equal(host.invocations('zfs').length, 1);
});

void tap.test('a dataset whose zone is not known yet: the zone comes later, and is complete', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const listening = await daemon.listen();
  host.dropEvents({ zones: true });
  const zonename = await host.createZone({ kind: 'bhyve' });
  const created = await listening.until((event) => event.zonename === zonename);
  t.match(created, { type: 'create', vm: { quota: Number, disks: [{ size: Number }] } });
  await eventsSufficed(t, daemon, listening);
});

void tap.test('a dataset that is gone by the time it is listed is simply gone', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'bhyve');
  const listening = await daemon.listen();
  await withoutEvents(daemon, 'destroy', '-r', `zones/${zonename}/disk1`);
  host.postEvents('zfs', [
    historyLine({ name: 'set', dataset: `zones/${zonename}/disk1`, detail: 'x=1', txg: 1 }),
  ]);
  await eventually(async () => (await diskOf(daemon, zonename, 'disk1'))?.['missing'] === true, 'it is gone');
  t.match(await daemon.status(), { loadErrors: [] });
  await eventsSufficed(t, daemon, listening);
});

async function withoutEvents({ host }: TestDaemon, ...argv: readonly string[]): Promise<void> {
  host.dropEvents({ zfs: true });
  await host.zfs(...argv);
  host.dropEvents({ zfs: false });
}

async function diskOf(
  daemon: TestDaemon,
  zonename: string,
  disk: string,
): Promise<Record<string, unknown> | undefined> {
  const disks = (await daemon.vm(zonename)).disks as unknown as readonly Record<string, unknown>[];
  return disks.find(({ path }) => String(path).endsWith(`/${disk}`));
}

function namesOfSnapshots(vm: object): string[] {
  return ((vm as { snapshots?: readonly { name: string }[] }).snapshots ?? []).map(({ name }) => name);
}
