/** `GET /vms/<zone>?sync=true`: a writer needs no event at all. */
import tap from 'tap';
import { deaf, zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';
import { killHanging } from '../processes.js';

void tap.test('a fresh read, with every event lost', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 5, watch: deaf });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  host.dropEvents({ zones: true, zfs: true });
  const fresh = async (zone = zonename) => daemon.get(`/vms/${zone}?sync=true`);
  const before = await daemon.vm(zonename);

  await host.setTags(zonename, { role: 'db' });
  t.match(await fresh(), { status: 200, json: { tags: { role: 'db' } } });
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  t.match(await fresh(), { json: { quota: 77 } });
  await host.updateConfig(zonename, { attrs: { alias: 'renamed' } });
  t.match(await fresh(), { json: { alias: 'renamed' } });
  await host.zfs('snapshot', `zones/${zonename}@vmsnap-now`);
  t.match(await fresh(), { json: { snapshots: [{ name: 'now' }] } });
  await host.stop(zonename);
  t.match(await fresh(), { json: { state: 'stopped', pid: undefined, exit_status: 0 } });
  t.notSame(await daemon.vm(zonename), before);

  const bhyve = zoneOf(host, 'bhyve');
  await host.zfs('set', 'compression=gzip-3', `zones/${bhyve}/disk1`);
  t.match((await fresh(bhyve)).text, /"compression":"gzip-3"/);
  const joyent = zoneOf(host, 'joyent');
  await host.zfs('set', 'recordsize=4k', `zones/${joyent}/data`);
  t.match(await fresh(joyent), { json: { zfs_data_recsize: 4096 } });

  const created = await host.createZone();
  t.equal((await daemon.get(`/vms/${created}`)).status, 404);
  t.match(await fresh(created), { status: 200, json: { state: 'running', quota: Number } });
  await host.destroyZone(zonename);
  t.equal((await fresh()).status, 404);
  t.equal((await daemon.get(`/vms/${zonename}`)).status, 404);
  await daemon.rescan();
  t.strictSame((await daemon.status()).refreshLog?.at(-1)?.vmChanges, [], 'nothing was left to find');
});

void tap.test('a write that changes nothing is answered at once', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const before = await daemon.get(`/vms/${zonename}`);
  const quota = String((before.json as { quota: number }).quota);
  await host.zfs('set', `quota=${quota}g`, `zones/${zonename}`);
  t.equal((await daemon.get(`/vms/${zonename}?sync=true`)).text, before.text);
});

void tap.test('many at once share their commands', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 12 });
  const { host } = daemon;
  host.resetInvocations();
  const answers = await Promise.all(
    host.zonenames().map((zonename) => daemon.get(`/vms/${zonename}?sync=true`)),
  );
  for (const answer of answers) t.equal(answer.status, 200);
  t.ok(host.invocations('zfs').length < 12, `${host.invocations('zfs').length} zfs for 12 zones`);
});

void tap.test('504 when it takes too long, and the rest goes on', async (t) => {
  const daemon = await startTestDaemon(t, { syncTimeoutMs: 1_000 });
  const { host } = daemon;
  const [hung, other] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
  host.setFault('zfs', { match: hung, hang: true });
  t.match(await daemon.get(`/vms/${hung}?sync=true`), { status: 504, json: { code: 'Timeout' } });
  t.equal((await daemon.get(`/vms/${hung}`)).status, 200, 'what is known is still there');
  host.clearFaults('zfs');
  t.ok((await killHanging()) > 0);
  await eventually(
    async () => (await daemon.get(`/vms/${hung}?sync=true`)).status === 200,
    'it is read again',
  );
  t.equal((await daemon.get(`/vms/${other}?sync=true`)).status, 200);
});

void tap.test('a zone that cannot be read is 503 with the reason, not an old object', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  host.corrupt(host.configFile(zonename, 'tags'), '{"role": ');
  t.match(await daemon.get(`/vms/${zonename}?sync=true`), { status: 503, text: /cannot read tags/ });
});

void tap.test(
  '404 for an unknown zone, and for what is no name of a zone; nothing is left of the request',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const unknown = [
      '5f0c3c1e-0000-4000-8000-000000000000',
      'global',
      'SUNWdefault',
      '..%2F..%2Fetc',
      '%00',
      'a b',
    ];
    for (const name of unknown) t.equal((await daemon.get(`/vms/${name}?sync=true`)).status, 404, name);
    t.match(await daemon.status(), { loadErrors: [], queue: { idle: true } });
  },
);
