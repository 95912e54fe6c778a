/** What the platform's vminfod got wrong on real hosts, as far as it had to do with zones and their files: a test for each, named after it. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import tap from 'tap';
import { changeOf, eventsSufficed, isA, toldOf, zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';

void tap.test(
  'Two file events in the same millisecond: the second was dropped as a duplicate of the first, and a deleted zone’s file stayed watched',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const [zonename = ''] = host.zonenames();
    const listening = await daemon.listen();
    const tags = host.configFile(zonename, 'tags');
    for (let round = 0; round < 20; round++) {
      writeFileSync(tags, `{"round":"${round}a"}`);
      // As soon as the first is under way, and with as many bytes: only the content differs.
      await new Promise((resolve) => setImmediate(resolve));
      writeFileSync(tags, `{"round":"${round}b"}`);
      await listening.until(changeOf(zonename, 'tags.round', `${round}b`));
    }
    const config = dirname(tags);
    await host.updateConfig(zonename, { attrs: { alias: 'last' } });
    await host.destroyZone(zonename);
    await listening.until(isA('delete', zonename));
    const { json } = await daemon.get('/status?full=true');
    const { watching, not_yet_watching } = (json as { fswatcher: Record<string, string[]> }).fswatcher;
    for (const path of [...(watching ?? []), ...(not_yet_watching ?? [])])
      t.notOk(path.startsWith(config), path);
    t.notOk(JSON.stringify(watching).includes(zonename));
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('A zone reported gone by zoneadm stayed in the cache for days as `provisioning`', async (t) => {
  for (const how of ['with its events', 'with every event lost'] as const) {
    await t.test(how, async (t) => {
      const daemon = await startTestDaemon(t);
      const { host } = daemon;
      const listening = await daemon.listen();
      const zonename = await host.createZone({ boot: false });
      await host.setTransition(zonename, 'provisioning:running:1795428000');
      const isProvisioning = async () => {
        const { json } = await daemon.get(`/vms/${zonename}`);
        return (json as { state?: string }).state === 'provisioning';
      };
      await eventually(isProvisioning, 'it is there');
      // vmadm died; what is left is removed by hand.
      host.setFault('zoneadm', {
        match: zonename,
        ...{ exitCode: 1, stderr: `zoneadm: ${zonename}: No such zone configured` },
      });
      if (how === 'with its events') await host.rewriteXml(zonename);
      else {
        host.dropEvents({ zones: true, zfs: true });
        host.clearFaults();
        await host.destroyZone(zonename);
        await daemon.rescan();
      }
      await listening.until(isA('delete', zonename));
      t.equal((await daemon.get(`/vms/${zonename}`)).status, 404);
    });
  }
});

void tap.test('`last_modified` has whole seconds: two changes in one second look like one', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  const listening = await daemon.listen();
  for (let round = 0; round < 5; round++) {
    await host.setTags(zonename, { round });
    await listening.until(changeOf(zonename, 'tags.round', round));
    await host.updateConfig(zonename, { attrs: { alias: `round${round}` } });
    await listening.until(changeOf(zonename, 'alias', `round${round}`));
  }
  const told = toldOf(zonename, listening.events).filter((path) => path !== 'last_modified');
  t.strictSame(told, Array.from({ length: 5 }, () => ['tags.round', 'alias']).flat());
  await eventsSufficed(t, daemon, listening);
});

void tap.test(
  'An XML file replaced by `mv` from another filesystem was taken for a deleted VM',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const [zonename = ''] = host.zonenames();
    const listening = await daemon.listen();
    for (let round = 0; round < 5; round++) {
      await host.updateConfig(zonename, { attrs: { alias: `before${round}` } });
      const file = host.xmlFile(zonename);
      rmSync(file);
      await new Promise((resolve) => setImmediate(resolve)); // the daemon may look now
      await host.updateConfig(zonename, { attrs: { alias: `after${round}` } });
      await listening.until(changeOf(zonename, 'alias', `after${round}`));
      t.equal((await daemon.get(`/vms/${zonename}`)).status, 200);
    }
    t.notOk(toldOf(zonename, listening.events).includes('delete'));
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('A zone whose zonename is not its UUID', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const listening = await daemon.listen();
  await host.createZone({ zonename: 'build-zone', kind: 'joyent' });
  const created = await listening.until(isA('create', 'build-zone'));
  const { uuid } = host.zone('build-zone');
  t.not(uuid, 'build-zone');
  t.match(created, { uuid, vm: { zonename: 'build-zone', uuid, zfs_filesystem: 'zones/build-zone' } });
  await host.zfs('set', 'quota=77g', 'zones/build-zone');
  t.match(await listening.until(changeOf('build-zone', 'quota', 77)), { uuid });
  await host.setTags('build-zone', { role: 'db' });
  await listening.until(changeOf('build-zone', 'tags.role', 'db'));
  await host.stop('build-zone');
  await listening.until(changeOf('build-zone', 'state', 'stopped'));
  t.match(await daemon.get('/vms/build-zone?sync=true'), { status: 200, json: { uuid, state: 'stopped' } });
  t.equal((await daemon.get(`/vms/${uuid}`)).status, 404);
  await eventsSufficed(t, daemon, listening);
  await host.destroyZone('build-zone');
  t.match(await listening.until(isA('delete', 'build-zone')), { uuid });
});

void tap.test('A zone without kstat data', async (t) => {
  const daemon = await startTestDaemon(t, {
    prepare: (host) => {
      host.setFault('kstat', { stdout: '[]', exitCode: 1 });
    },
  });
  const { host } = daemon;
  for (const vm of await daemon.vms()) t.match(vm, { state: 'running', pid: undefined, quota: Number });
  t.match(await daemon.status(), { loadErrors: [], refreshErrors: [] });
  host.clearFaults();
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  await host.restartInit(zonename);
  await listening.until(changeOf(zonename, 'init_restarts', 1));
  t.match(await daemon.vm(zonename), { pid: Number, boot_timestamp: String });
});

void tap.test('A zone whose config directory is not there yet', async (t) => {
  const daemon = await startTestDaemon(t, {
    prepare: (host) => {
      rmSync(host.path(host.zone(zoneOf(host, 'joyent-minimal')).zonepath), { recursive: true });
    },
  });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  t.match(await daemon.vm(zonename), { tags: {}, customer_metadata: {}, routes: {} });
  t.match(await daemon.status(), { loadErrors: [] });
  const config = dirname(host.configFile(zonename, 'tags'));
  mkdirSync(dirname(config));
  await new Promise((resolve) => setImmediate(resolve));
  mkdirSync(config);
  await host.setTags(zonename, { role: 'db' });
  await listening.until(changeOf(zonename, 'tags.role', 'db'));
  await host.setTags(zonename, { role: 'again' });
  await listening.until(changeOf(zonename, 'tags.role', 'again'));
  await eventsSufficed(t, daemon, listening);
});

void tap.test('an empty lastexited: look again', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 4 });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent');
  const listening = await daemon.listen();
  const before = await daemon.vm(zonename);
  t.type(before.exit_timestamp, 'string');
  writeFileSync(host.lastExitedFile(zonename), '');
  await eventually(async () => (await daemon.status()).queue.idle, 'it was read');
  t.match(await daemon.status(), { loadErrors: [] }, 'that is no error');
  await host.writeLastExited(zonename, 1280);
  await listening.until(changeOf(zonename, 'exit_status', 5));
  await eventsSufficed(t, daemon, listening);
});

void tap.test('One broken zone XML or JSON file kept the whole daemon from starting', async (t) => {
  const daemon = await startTestDaemon(t, {
    vms: 6,
    prepare: (host) => {
      const [xml = '', tags = '', metadata = '', lastexited = ''] = host.zonenames();
      host.corrupt(host.xmlFile(xml), '<zone');
      host.corrupt(host.configFile(tags, 'tags'), '{"a": ');
      host.corrupt(host.configFile(metadata, 'metadata'), '\0\0\0\0');
      writeFileSync(host.lastExitedFile(lastexited), 'garbage');
      writeFileSync(host.path('/tmp/.sysinfo.json'), '{');
    },
  });
  const { host } = daemon;
  const [xml = '', tags = '', metadata = ''] = host.zonenames();
  t.equal((await daemon.vms()).length, 5);
  t.match(await daemon.vm(tags), { tags: {}, quota: Number });
  t.match(await daemon.vm(metadata), { customer_metadata: {}, quota: Number });
  t.equal((await daemon.get(`/vms/${xml}`)).status, 503);
  const { loadErrors } = await daemon.status();
  t.strictSame(
    new Set(loadErrors.map(({ zone, input }) => `${zone} ${input}`)),
    new Set([`${xml} xml`, `${tags} tags`, `${metadata} metadata`]),
  );
});
