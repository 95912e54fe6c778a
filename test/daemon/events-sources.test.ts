/** What each source reports, and what is reread because of it: one test per kind of event. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import tap from 'tap';
import { zoneStatusLine } from '../../lib/simulator/index.js';
import { changeOf, deaf, eventsSufficed, isA, toldOf, zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';

void tap.test('zone sysevent, unknown zone: the whole zone (a new VM), all its inputs', async (t) => {
  const daemon = await startTestDaemon(t, { watch: deaf });
  const { host } = daemon;
  const listening = await daemon.listen();
  const zonename = await host.createZone({ kind: 'joyent', alias: 'fresh' });
  const created = await listening.until(isA('create', zonename));
  const { quotaGiB } = { quotaGiB: Number(host.dataset(`zones/${zonename}`)?.properties['quota']) / 2 ** 30 };
  t.match(created, { vm: { alias: 'fresh', quota: quotaGiB, zfs_filesystem: `zones/${zonename}` } });
  t.type(('vm' in created && created.vm.tags) || undefined, 'object');
  await eventually(async () => (await daemon.vm(zonename)).state === 'running', 'it runs');
  t.type((await daemon.vm(zonename)).pid, 'number', 'kstat');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('zone sysevent, known zone: record, XML, kstat and lastexited', async (t) => {
  const daemon = await startTestDaemon(t, { watch: deaf });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  await host.updateConfig(zonename, { attrs: { alias: 'renamed' } });
  await host.restartInit(zonename);
  await listening.until(changeOf(zonename, 'alias', 'renamed'));
  await listening.until(changeOf(zonename, 'init_restarts', 1));
  await host.stop(zonename, { waitStatus: 256 });
  await listening.until(changeOf(zonename, 'state', 'stopped'));
  await listening.until(changeOf(zonename, 'exit_status', 1));
  t.match(await daemon.vm(zonename), { zone_state: 'installed', zoneid: null, pid: undefined });
  await eventsSufficed(t, daemon, listening);
});

void tap.test(
  'zone sysevent, known zone: read again if the record does not agree with newstate',
  async (t) => {
    const daemon = await startTestDaemon(t, { watch: deaf });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const listening = await daemon.listen();
    host.setStateLag(60);
    await host.stop(zonename);
    await listening.until(changeOf(zonename, 'state', 'stopped'));
    const from = listening.events.length;
    await host.start(zonename);
    await listening.until(changeOf(zonename, 'state', 'running'), from);
    t.match(await daemon.vm(zonename), { zone_state: 'running', zoneid: Number, pid: Number });
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('zone sysevent: only its own kstat and its own record are asked for', async (t) => {
  const daemon = await startTestDaemon(t, { watch: deaf });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  host.resetInvocations();
  await host.reboot(zonename);
  const zoneid = host.zone(zonename).zoneid ?? 0;
  await listening.until(changeOf(zonename, 'zoneid', zoneid));
  await eventually(
    async () => (await daemon.vm(zonename)).pid === host.zone(zonename).initPid,
    'its new pid',
  );
  t.ok(host.invocations('kstat').every((args) => args.includes('-i')));
  t.ok(host.invocations('zoneadm').every((args) => args.includes(zonename)));
  await eventsSufficed(t, daemon, listening);
});

void tap.test('zone sysevent, known zone: read again if kstat was read before the record', async (t) => {
  const daemon = await startTestDaemon(t, { watch: deaf });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  const { zoneid } = host.zone(zonename);
  const kstat = host.path(`/var/simulator/kstat/${String(zoneid).padStart(10, '0')}`);
  const before = readFileSync(kstat);
  host.dropEvents({ zones: true });
  await host.stop(zonename);
  writeFileSync(kstat, before);
  host.dropEvents({ zones: false });
  const free = { newstate: 'free', oldstate: 'uninitialized', zoneid: zoneid ?? -1 };
  host.postEvents('zones', [zoneStatusLine({ publisher: 'kernel', zonename, ...free })]);
  await listening.until(changeOf(zonename, 'state', 'stopped'));
  rmSync(kstat);
  await eventually(async () => !('pid' in (await daemon.vm(zonename))), 'kstat was read again');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('files, /etc/zones/<z>.xml changed: XML, kstat, zoneadm record, last_modified', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  host.dropEvents({ zones: true });
  const listening = await daemon.listen();
  await host.stop(zonename);
  await host.updateConfig(zonename, { attrs: { alias: 'renamed' } });
  await listening.until(changeOf(zonename, 'alias', 'renamed'));
  await listening.until(changeOf(zonename, 'state', 'stopped'));
  await eventually(async () => !('pid' in (await daemon.vm(zonename))), 'kstat was read again');
  t.equal((await daemon.vm(zonename)).last_modified, wholeSeconds(host.xmlFile(zonename)));
  await eventsSufficed(t, daemon, listening);
});

void tap.test('files, /etc/zones/<z>.xml gone: look again; really gone, delete the VM', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = '', other = ''] = host.zonenames();
  const listening = await daemon.listen();
  await host.deleteXml(zonename);
  await listening.until(isA('delete', zonename));
  await host.setTags(other, { still: 'here' });
  await listening.until(changeOf(other, 'tags.still'));
  t.strictSame(toldOf(zonename, listening.events), ['delete']);
});

void tap.test('files, /etc/zones/<z>.xml gone: look again; there, changed', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  const listening = await daemon.listen();
  await host.updateConfig(zonename, { attrs: { alias: 'one' } });
  await host.moveXmlOver(zonename);
  await host.updateConfig(zonename, { attrs: { alias: 'two' } });
  await listening.until(changeOf(zonename, 'alias', 'two'));
  t.notOk(toldOf(zonename, listening.events).includes('delete'));
  await eventsSufficed(t, daemon, listening);
});

void tap.test('files, a new /etc/zones/<z>.xml: the whole zone', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  host.dropEvents({ zones: true });
  const listening = await daemon.listen();
  const zonename = await host.createZone({ kind: 'lx', boot: false });
  const created = await listening.until(isA('create', zonename));
  t.match(created, { vm: { brand: 'lx', quota: Number, tags: Object, customer_metadata: Object } });
  await eventually(async () => (await daemon.vm(zonename)).state === 'stopped', 'it is provisioned');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('files, config/*.json: that file, last_modified', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  const listening = await daemon.listen();
  host.resetInvocations();
  await host.setTags(zonename, { role: 'db' });
  await listening.until(changeOf(zonename, 'tags.role', 'db'));
  await host.setMetadata(zonename, 'customer_metadata', { key: 'value' });
  await listening.until(changeOf(zonename, 'customer_metadata.key', 'value'));
  await host.setMetadata(zonename, 'internal_metadata', { 'a:b': 'value' });
  await listening.until(changeOf(zonename, 'internal_metadata.a:b', 'value'));
  await host.setRoutes(zonename, { '10.9.0.0/16': '10.0.0.1' });
  await listening.until(changeOf(zonename, 'routes[10.9.0.0/16]', '10.0.0.1'));
  t.equal((await daemon.vm(zonename)).last_modified, wholeSeconds(host.configFile(zonename, 'routes')));
  for (const command of ['zoneadm', 'zfs', 'kstat'] as const) t.strictSame(host.invocations(command), []);
  await eventsSufficed(t, daemon, listening);
});

void tap.test('files, lastexited: it, last_modified', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 4 });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent');
  t.match(await daemon.vm(zonename), { state: 'stopped' });
  const listening = await daemon.listen();
  await host.writeLastExited(zonename, 512);
  await listening.until(changeOf(zonename, 'exit_status', 2));
  t.equal((await daemon.vm(zonename)).last_modified, wholeSeconds(host.lastExitedFile(zonename)));
  const from = listening.events.length;
  await host.writeLastExited(zonename, 9);
  await listening.until(changeOf(zonename, 'exit_status', -9), from);
  await eventsSufficed(t, daemon, listening);
});

void tap.test('files, /tmp/.sysinfo.json: sysinfo, every VM', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const listening = await daemon.listen();
  await host.updateSysinfo({ 'Datacenter Name': 'elsewhere' });
  for (const zonename of host.zonenames())
    await listening.until(changeOf(zonename, 'datacenter_name', 'elsewhere'));
  await eventsSufficed(t, daemon, listening);
});

void tap.test('ZFS sysevent: the named dataset; the VMs that use it', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  host.resetInvocations();
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  await listening.until(changeOf(zonename, 'quota', 77));
  t.equal(listening.events.length, 1);
  t.match(host.invocations('zfs'), [['list']]);
  t.ok(host.invocations('zfs')[0]?.includes(`zones/${zonename}`));
  await eventsSufficed(t, daemon, listening);
});

void tap.test('timer, rescan: everything', async (t) => {
  const daemon = await startTestDaemon(t, { watch: deaf, rescanIntervalMs: 300, vms: 5 });
  const { host } = daemon;
  host.dropEvents({ zones: true, zfs: true });
  const listening = await daemon.listen();
  const [destroyed = '', stopped = '', tagged = '', resized = ''] = host
    .zonenames()
    .filter((zonename) => host.zone(zonename).state === 'running');
  const created = await host.createZone();
  await host.destroyZone(destroyed);
  await host.stop(stopped);
  await host.setTags(tagged, { role: 'db' });
  await host.zfs('set', 'quota=77g', `zones/${resized}`);
  await host.updateSysinfo({ 'Datacenter Name': 'elsewhere' });
  await listening.until(isA('create', created));
  await listening.until(isA('delete', destroyed));
  await listening.until(changeOf(stopped, 'state', 'stopped'));
  await listening.until(changeOf(tagged, 'tags.role', 'db'));
  await listening.until(
    (event) => event.zonename === resized && 'vm' in event && event.vm.datacenter_name === 'elsewhere',
  );
  t.match(await daemon.vm(created), { quota: Number, datacenter_name: 'elsewhere' });
});

void tap.test('a zone that zoneadm no longer knows is deleted, however we noticed', async (t) => {
  for (const [how, options] of [
    ['by a zone sysevent', { watch: deaf }],
    ['by its XML', {}],
  ] as const) {
    await t.test(how, async (t) => {
      const daemon = await startTestDaemon(t, options);
      const { host } = daemon;
      const [zonename = ''] = host.zonenames();
      const listening = await daemon.listen();
      if (how === 'by its XML') host.dropEvents({ zones: true, zfs: true });
      await host.destroyZone(zonename);
      await listening.until(isA('delete', zonename));
      const gone = await daemon.get(`/vms/${zonename}`);
      t.equal(gone.status, 404, gone.text);
    });
  }
  await t.test('by a file of it', async (t) => {
    const daemon = await startTestDaemon(t, { vms: 4 });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent');
    const listening = await daemon.listen();
    host.setFault('zoneadm', {
      match: zonename,
      stderr: `zoneadm: ${zonename}: No such zone configured`,
      exitCode: 1,
    });
    await host.rewriteXml(zonename);
    await listening.until(isA('delete', zonename));
    t.equal((await daemon.get(`/vms/${zonename}`)).status, 404);
  });
});

function wholeSeconds(path: string): string {
  return new Date(Math.floor(statSync(path).mtimeMs / 1000) * 1000).toISOString();
}
