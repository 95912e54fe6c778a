/** Each of these ends or blinds the platform's vminfod. Ours comes out of it with the right answer. */
import { spawn } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import tap from 'tap';
import { historyLine } from '../../lib/simulator/index.js';
import { changeOf, deaf, eventsSufficed, isA, toldOf, zoneOf } from './facts.js';
import { eventually, startTestDaemon, type TestDaemon } from './harness.js';
import { killHanging } from '../processes.js';

for (const channel of ['zones', 'zfs'] as const) {
  void tap.test(`10,000 garbage lines on the ${channel} event stream`, async (t) => {
    const daemon = await startTestDaemon(t, { watch: deaf });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const listening = await daemon.listen();
    const garbage = Array.from({ length: 10_000 }, (_, index) => `${index} \u0007 {"type": "event", "data`);
    host.postEvents(channel, garbage);
    await change(daemon, channel, zonename);
    await listening.until(isTheChange(channel, zonename));
    const name = channel === 'zones' ? 'zone-events' : 'zfs-events';
    t.match(await sourceOf(daemon, name), { restarts: Number, lastError: { message: /expected JSON/ } });
    await eventually(async () => (await sourceOf(daemon, name))?.state === 'running', 'it is well again');
    t.ok(((await sourceOf(daemon, name))?.restarts ?? 0) < 5);
  });
}

void tap.test('an event without data', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  const event = { date: new Date().toISOString(), type: 'event', vendor: 'x', publisher: 'y', pid: 0 };
  for (const data of [undefined, null, {}, [], 'text'])
    for (const kind of ['status', 'init', 'EC_zfs']) {
      const line = JSON.stringify({ ...event, class: kind, subclass: 'ESC_ZFS_history_event', data });
      host.postEvents(kind === 'EC_zfs' ? 'zfs' : 'zones', [line]);
    }
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  await listening.until(changeOf(zonename, 'quota', 77));
  await host.stop(zonename);
  await listening.until(changeOf(zonename, 'state', 'stopped'));
  for (const source of (await daemon.status()).sources) t.match(source, { state: 'running', restarts: 0 });
  await eventsSufficed(t, daemon, listening);
});

void tap.test('one malformed, one empty, one missing zone XML at boot', async (t) => {
  const broken: string[] = [];
  const daemon = await startTestDaemon(t, {
    vms: 6,
    prepare: async (host) => {
      broken.push(...host.zonenames().slice(0, 3));
      const [malformed = '', empty = '', missing = ''] = broken;
      host.corrupt(host.xmlFile(malformed), '<zone name="x"><attr');
      host.corrupt(host.xmlFile(empty), '');
      await host.deleteXml(missing);
    },
  });
  const { host } = daemon;
  t.equal((await daemon.vms()).length, 3, 'the others are there');
  const { loadErrors } = await daemon.status();
  t.strictSame(new Set(loadErrors.map(({ zone }) => zone)), new Set(broken));
  for (const zonename of broken) {
    const answer = await daemon.get(`/vms/${zonename}`);
    t.equal(answer.status, 503, 'never loaded is not the same as not found');
    t.match(answer.text, /cannot read xml/);
    t.type(answer.headers['retry-after'], 'string');
  }
  const listening = await daemon.listen();
  for (const zonename of broken) await host.rewriteXml(zonename);
  for (const zonename of broken)
    t.match(await listening.until(isA('create', zonename)), { vm: { quota: Number, tags: Object } });
  t.match(await daemon.status(), { loadErrors: [], numVms: 6 });
  await eventsSufficed(t, daemon, listening);
});

void tap.test(
  "XML broken at run time while another VM's event is lost: the rescan mends that other VM",
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const [broken, other] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
    const listening = await daemon.listen();
    const before = await daemon.vm(broken);
    const repair = host.corrupt(host.xmlFile(broken), '<zone name="x"><attr');
    await eventually(async () => (await daemon.status()).loadErrors.length === 1, 'it is noticed');
    host.dropEvents({ zfs: true });
    await host.zfs('set', 'quota=77g', `zones/${other}`);
    await daemon.rescan();
    t.match(await daemon.vm(other), { quota: 77 });
    t.strictSame(await daemon.vm(broken), before, 'the last good object stays');
    t.match(await daemon.status(), {
      loadErrors: [{ zone: broken, input: 'xml' }],
      missed: { 'zfs-events': 1 },
    });
    repair();
    await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'it is mended');
    t.notOk(toldOf(broken, listening.events).some((path) => path !== 'last_modified'));
  },
);

void tap.test('tags.json malformed at run time: no modify that removes every tag', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  await host.setTags(zonename, { role: 'db' });
  await eventually(async () => (await daemon.vm(zonename)).tags['role'] === 'db', 'it is there');
  const before = await daemon.vm(zonename);
  const listening = await daemon.listen();
  const repair = host.corrupt(host.configFile(zonename, 'tags'), '{"role": "d');
  await eventually(async () => (await daemon.status()).loadErrors.length === 1, 'it is noticed');
  t.match(await daemon.status(), { loadErrors: [{ zone: zonename, input: 'tags' }] });
  await daemon.rescan();
  t.strictSame(await daemon.vm(zonename), before);
  repair();
  await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'it is mended');
  t.notOk(toldOf(zonename, listening.events).some((path) => path.startsWith('tags')));
});

void tap.test("`zfs list` of one dataset hanging for ever: every other VM's events go on", async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [hung, other] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
  const listening = await daemon.listen();
  host.setFault('zfs', { match: `zones/${hung}`, hang: true });
  await host.zfs('set', 'quota=70g', `zones/${hung}`);
  await eventually(() => host.invocations('zfs').some((argv) => argv.includes(`zones/${hung}`)), 'it hangs');
  for (const quota of [71, 72, 73]) {
    await host.zfs('set', `quota=${quota}g`, `zones/${other}`);
    await listening.until(changeOf(other, 'quota', quota));
  }
  await host.setTags(hung, { role: 'db' });
  await listening.until(changeOf(hung, 'tags.role', 'db'));
  await host.stop(other);
  await listening.until(changeOf(other, 'state', 'stopped'));
  host.clearFaults('zfs');
  t.equal(await killHanging(), 1);
  await listening.until(changeOf(hung, 'quota', 70));
  await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'nothing is left of it');
  await eventsSufficed(t, daemon, listening);
});

void tap.test('a hanging dataset in one listing with others delays them for that listing only', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [hung, other] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
  const listening = await daemon.listen();
  host.setFault('zfs', { match: `zones/${hung}`, hang: true });
  await Promise.all([
    host.zfs('set', 'quota=70g', `zones/${hung}`),
    host.zfs('set', 'quota=71g', `zones/${other}`),
  ]);
  await listening.until(changeOf(other, 'quota', 71));
  t.notSame(await daemon.vm(hung), { quota: 70 });
  host.clearFaults('zfs');
  t.equal(await killHanging(), 1);
  await listening.until(changeOf(hung, 'quota', 70));
});

for (const [what, datasets] of [
  ['10,000 of them', (index: number) => `zones/nobody-${index}`],
  ['one of them', () => 'zones/cores'],
] as const) {
  void tap.test(
    `10,000 valid events on datasets of no VM (${what}): a quota change behind them`,
    async (t) => {
      const daemon = await startTestDaemon(t);
      const { host } = daemon;
      const zonename = zoneOf(host, 'joyent-minimal');
      const listening = await daemon.listen();
      const lines = Array.from({ length: 10_000 }, (_, index) =>
        historyLine({ name: 'snapshot', dataset: `${datasets(index)}@hourly`, detail: '', txg: index }),
      );
      const file = host.path('/tmp/lines');
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''));
      const aloneMs: number[] = [];
      const behindMs: number[] = [];
      const setQuota = async (quota: number) => {
        const startedAt = performance.now();
        await host.zfs('set', `quota=${quota}g`, `zones/${zonename}`);
        await listening.until(changeOf(zonename, 'quota', quota));
        return performance.now() - startedAt;
      };
      for (const quota of [70, 72, 74, 76]) {
        aloneMs.push((await msToParse(file)) + (await setQuota(quota)));
        host.resetInvocations();
        host.postEvents('zfs', lines);
        behindMs.push(await setQuota(quota + 1));
        await eventually(async () => (await daemon.status()).queue.idle, 'all is done');
        const started = host.invocations('zfs').length;
        // How many depends on how fast the events come in.
        t.ok(started < 20, `fewer than 20 zfs for 10,000 events (${started})`);
      }
      t.comment(`behind them: ${inMs(behindMs)}; parsing them and the change alone: ${inMs(aloneMs)}`);
      // On a busy machine a change alone takes as much longer.
      t.ok(Math.min(...behindMs) < 100 + 4 * Math.min(...aloneMs), 'seen within 100 ms');
      await eventsSufficed(t, daemon, listening);
    },
  );
}

void tap.test('a zone whose XML was deleted and comes back', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  const before = await daemon.vm(zonename);
  const listening = await daemon.listen();
  await host.deleteXml(zonename);
  await listening.until(isA('delete', zonename));
  t.match(await daemon.get(`/vms/${zonename}`), { status: 503, text: /cannot read xml/ });
  await host.rewriteXml(zonename);
  await listening.until(isA('create', zonename));
  t.match(await daemon.vm(zonename), { ...before, last_modified: String });
  await host.setTags(zonename, { role: 'back' });
  await listening.until(changeOf(zonename, 'tags.role', 'back'));
  t.strictSame(toldOf(zonename, listening.events.slice(0, 2)), ['delete', 'create']);
  await eventsSufficed(t, daemon, listening);
});

void tap.test(
  'a hung full `zfs list` delays neither events nor requests, and is retried when it dies',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const listening = await daemon.listen();
    host.resetInvocations();
    host.setFault('zfs', { full: true, hang: true });
    const rescan = daemon.rescan();
    await eventually(() => host.invocations('zfs').length === 1, 'it hangs');
    await host.zfs('set', 'quota=77g', `zones/${zonename}`);
    await listening.until(changeOf(zonename, 'quota', 77));
    await host.setTags(zonename, { role: 'db' });
    await listening.until(changeOf(zonename, 'tags.role', 'db'));
    await host.stop(zonename);
    await listening.until(changeOf(zonename, 'state', 'stopped'));
    const created = await host.createZone();
    await listening.until(isA('create', created));
    t.match(await daemon.get(`/vms/${zonename}?sync=true`), { status: 200, json: { quota: 77 } });
    t.equal((await daemon.vms()).length, 4);
    host.clearFaults('zfs');
    t.equal(await killHanging(), 1);
    await rescan;
    t.match(await daemon.status(), { refreshErrors: [{ err: /zfs list .*SIGKILL/ }] });
    const again = () => daemon.log.some(({ msg }) => String(msg).startsWith('rescan (the last one failed)'));
    await eventually(again, 'it is done again');
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('a config directory that cannot be read is that zone’s problem', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = '', other = ''] = host.zonenames();
  const listening = await daemon.listen();
  const config = dirname(host.configFile(zonename, 'tags'));
  const before = await daemon.vm(zonename);
  rmSync(config, { recursive: true });
  symlinkSync('config', config); // ELOOP
  await eventually(async () => (await daemon.status()).loadErrors.length > 0, 'it is noticed');
  await host.setTags(other, { role: 'db' });
  await listening.until(changeOf(other, 'tags.role', 'db'));
  await daemon.rescan();
  t.strictSame((await daemon.vm(zonename)).tags, before.tags);
  rmSync(config);
  mkdirSync(config);
  writeFileSync(host.configFile(zonename, 'tags'), '{"role":"mended"}');
  await listening.until(changeOf(zonename, 'tags.role', 'mended'));
  await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'nothing is left of it');
});

void tap.test('a zonepath that is away while its zone is installed takes nothing from the VM', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  await host.setTags(zonename, { role: 'db' });
  await eventually(async () => (await daemon.vm(zonename)).tags['role'] === 'db', 'it has a tag');
  const before = await daemon.vm(zonename);
  const listening = await daemon.listen();
  const zonepath = dirname(dirname(host.configFile(zonename, 'tags')));
  renameSync(zonepath, `${zonepath}.away`);
  await eventually(async () => (await daemon.status()).loadErrors.length > 0, 'it is noticed');
  await daemon.rescan();
  const { loadErrors } = await daemon.status();
  for (const { zone, error } of loadErrors) {
    t.equal(zone, zonename);
    t.match(error, `${zonepath} does not exist`);
  }
  t.ok(loadErrors.some(({ input }) => input === 'tags'));
  t.strictSame(await daemon.vm(zonename), before);
  renameSync(`${zonepath}.away`, zonepath);
  await host.setTags(zonename, { role: 'back' });
  await listening.until(changeOf(zonename, 'tags.role', 'back'));
  await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'nothing is left of it');
  t.notOk(toldOf(zonename, listening.events).some((path) => path.startsWith('customer_metadata')));
});

/** The least that reading so many lines from a child takes. */
async function msToParse(file: string): Promise<number> {
  const startedAt = performance.now();
  const { stdout } = spawn('cat', [file]);
  for await (const line of createInterface({ input: stdout })) JSON.parse(line);
  return performance.now() - startedAt;
}

function inMs(times: readonly number[]): string {
  return `${times.map((ms) => ms.toFixed(0)).join(', ')} ms`;
}

async function change({ host }: TestDaemon, channel: 'zones' | 'zfs', zonename: string): Promise<void> {
  if (channel === 'zones') await host.stop(zonename);
  else await host.zfs('set', 'quota=77g', `zones/${zonename}`);
}

function isTheChange(channel: 'zones' | 'zfs', zonename: string): ReturnType<typeof changeOf> {
  return channel === 'zones' ? changeOf(zonename, 'state', 'stopped') : changeOf(zonename, 'quota', 77);
}

async function sourceOf(daemon: TestDaemon, name: string) {
  return (await daemon.status()).sources.find((source) => source.name === name);
}
