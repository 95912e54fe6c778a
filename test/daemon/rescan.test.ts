/** Rescans run beside the events, never replace newer data, and account for what the events missed. */
import tap from 'tap';
import { faultyWatch } from '../host/faulty-watch.js';
import { answersLate, changeOf, deaf, isA, toldOf, zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';
import { killHanging } from '../processes.js';

void tap.test(
  'what events missed is told as events, and counted for the source that should have told',
  async (t) => {
    const daemon = await startTestDaemon(t, { vms: 5, watch: deaf });
    const { host } = daemon;
    host.dropEvents({ zones: true, zfs: true });
    const listening = await daemon.listen();
    const [stopped = '', resized = '', tagged = '', destroyed = ''] = host
      .zonenames()
      .filter((zonename) => host.zone(zonename).state === 'running');
    await host.stop(stopped);
    await host.zfs('set', 'recordsize=4k', `zones/${resized}`);
    await host.setTags(tagged, { role: 'db' });
    await host.destroyZone(destroyed);
    const created = await host.createZone();
    await daemon.rescan();
    const status = await daemon.status();
    // Zones and datasets are read side by side: what concerns both may be counted for either, once or twice.
    const missed = Object.values(status.missed).reduce((sum, count) => sum + count, 0);
    t.ok(missed >= 5, 'a stop, a resize, a tag, a delete and a create');
    for (const [source, count] of Object.entries(status.missed)) t.ok(count >= 1, source);
    const changed = status.refreshLog?.at(-1)?.vmChanges.map(({ zonename }) => zonename);
    t.strictSame(new Set(changed), new Set([stopped, resized, tagged, destroyed, created]));
    await listening.until(changeOf(stopped, 'state', 'stopped'));
    await listening.until(changeOf(resized, 'zfs_root_recsize', 4096));
    await listening.until(changeOf(tagged, 'tags.role', 'db'));
    await listening.until(isA('delete', destroyed));
    await listening.until(isA('create', created));
    const warning = daemon.log.find(({ msg }) => String(msg).startsWith('rescan (test)'));
    t.match(warning, { level: 40, msg: new RegExp(`changes \\(${missed} missed\\).* took \\d+\\.\\d+s`) });
    await daemon.rescan();
    t.strictSame((await daemon.status()).missed, status.missed);
    t.match(daemon.log.at(-1), { level: 30, msg: /rescan \(test\).* \(0 missed\)/ });
  },
);

void tap.test('a full listing never undoes what an event has had read since', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename, other] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
  await host.zfs('snapshot', `zones/${zonename}@vmsnap-short`);
  await eventually(async () => snapshotsOf(await daemon.vm(zonename)).includes('short'), 'it is there');
  const listening = await daemon.listen();
  const zfs = answersLate(host, '/usr/sbin/zfs', 'list -H*-d 2');
  const zoneadm = answersLate(host, '/usr/sbin/zoneadm', 'list -p -c');
  const rescan = daemon.rescan();
  await Promise.all([zfs.asked, zoneadm.asked]);
  // Both listings have read, and not answered yet.
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  await host.zfs('destroy', `zones/${zonename}@vmsnap-short`);
  await host.stop(other);
  const created = await host.createZone();
  await host.destroyZone(zoneOf(host, 'bhyve'));
  await listening.until(changeOf(zonename, 'quota', 77));
  await listening.until(changeOf(other, 'state', 'stopped'));
  await listening.until(
    (event) => event.zonename === created && 'vm' in event && event.vm.state === 'running',
  );
  await listening.until((event) => event.type === 'delete');
  const from = listening.events.length;
  zfs.answer();
  zoneadm.answer();
  await rescan;
  t.strictSame(listening.events.slice(from), [], 'the rescan undid nothing');
  t.match(await daemon.vm(zonename), { quota: 77 });
  t.notOk(snapshotsOf(await daemon.vm(zonename)).includes('short'));
  t.strictSame((await daemon.status()).missed, { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 });
  await daemon.rescan();
  t.strictSame(listening.events.slice(from), []);
});

void tap.test(
  'zones that change during a full listing are asked for one by one, not by another',
  async (t) => {
    const daemon = await startTestDaemon(t, { vms: 8 });
    const { host } = daemon;
    const zonenames = host.zonenames().filter((zonename) => host.zone(zonename).state === 'running');
    const listening = await daemon.listen();
    const zoneadm = answersLate(host, '/usr/sbin/zoneadm', 'list -p -c');
    const rescan = daemon.rescan();
    await zoneadm.asked;
    for (const zonename of zonenames) {
      await host.stop(zonename);
      await listening.until(changeOf(zonename, 'state', 'stopped'));
    }
    host.resetInvocations();
    zoneadm.answer();
    await rescan;
    const asked = host.invocations('zoneadm').map((argv) => argv.join(' '));
    t.ok(zonenames.length > 2, 'more than are ever asked for one by one otherwise');
    t.strictSame(new Set(asked), new Set(zonenames.map((zonename) => `-z ${zonename} list -p`)));
  },
);

void tap.test('only one rescan at a time; those asked for meanwhile are one', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zfs = answersLate(host, '/usr/sbin/zfs', 'list -H*-d 2');
  host.resetInvocations();
  const rescan = daemon.rescan();
  await zfs.asked;
  for (const reason of ['a', 'b', 'c']) daemon.requests.next({ type: 'everything', reason });
  await host.zfs('set', 'compression=gzip-3', 'zones');
  await eventually(() => host.invocations('zfs').length === 1, 'one listing is under way');
  zfs.answer();
  await rescan;
  const rescans = () => daemon.log.filter(({ msg }) => String(msg).startsWith('rescan (')).length;
  await eventually(async () => rescans() === 3 && (await daemon.status()).queue.idle, 'all is done');
  const full = host.invocations('zfs').filter((argv) => argv.includes('2'));
  t.equal(full.length, 2, 'one for the first, one for all the others');
});

void tap.test('zoneadm or zfs that fails is recorded and retried; the other half is taken in', async (t) => {
  const daemon = await startTestDaemon(t, { watch: deaf });
  const { host } = daemon;
  const [stopped, resized] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
  host.dropEvents({ zones: true, zfs: true });
  await host.stop(stopped);
  await host.zfs('set', 'quota=77g', `zones/${resized}`);
  host.setFault('zfs', { full: true, exitCode: 1, stderr: 'internal error' });
  await daemon.rescan();
  t.match(await daemon.vm(stopped), { state: 'stopped' });
  t.notMatch(await daemon.vm(resized), { quota: 77 });
  t.match(await daemon.status(), { refreshErrors: [{ err: /zfs list .*internal error/ }] });
  const retries = () =>
    daemon.log.filter(({ msg }) => String(msg).startsWith('rescan (the last one failed)')).length;
  await eventually(() => retries() > 1, 'it is retried');
  host.clearFaults('zfs');
  await eventually(async () => (await daemon.vm(resized)).quota === 77, 'it is done again');
});

void tap.test('a rescan mends a watch whose file was replaced unseen', async (t) => {
  const watch = faultyWatch();
  const daemon = await startTestDaemon(t, { watch: watch.source });
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  const listening = await daemon.listen();
  watch.drop(true);
  await host.setTags(zonename, { role: 'unseen' });
  await new Promise((resolve) => setImmediate(resolve));
  await daemon.rescan();
  await listening.until(changeOf(zonename, 'tags.role', 'unseen'));
  watch.drop(false);
  const repair = host.corrupt(host.configFile(zonename, 'tags'), '{"role":"in place"}');
  await listening.until(changeOf(zonename, 'tags.role', 'in place'));
  repair();
  t.ok(toldOf(zonename, listening.events).length > 0);
});

void tap.test('zones that are gone are not watched any more', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  const listening = await daemon.listen();
  await host.destroyZone(zonename);
  await listening.until(isA('delete', zonename));
  const { json } = await daemon.get('/status?full=true');
  t.notMatch(JSON.stringify((json as { fswatcher: unknown }).fswatcher), new RegExp(zonename));
  t.equal(await killHanging(), 0);
});

function snapshotsOf(vm: object): string[] {
  return ((vm as { snapshots?: readonly { name: string }[] }).snapshots ?? []).map(({ name }) => name);
}
