/**
 * `GET /vms/<zone>?sync=true` shows everything that was true before the request, whatever else is read of the zone
 * meanwhile, and reports what could not be read for it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import tap from 'tap';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import { deafTo } from '../host/faulty-watch.js';
import { answersLate, changeOf, zoneOf } from './facts.js';
import { eventually, startTestDaemon, type TestDaemon } from './harness.js';

interface SilentChange {
  /** The suffix of files whose changes are not reported. */
  readonly silent?: string;
  readonly make: (host: SimulatedHost, zonename: string) => Promise<unknown>;
  readonly shows: Readonly<Record<string, unknown>>;
}

const changes: Readonly<Record<string, SilentChange>> = {
  'a new state': {
    silent: 'lastexited',
    make: (host, zone) => host.stop(zone, { waitStatus: 256 }),
    shows: { state: 'stopped', pid: undefined, exit_status: 1 },
  },
  'an init that was restarted': {
    make: (host, zone) => host.restartInit(zone),
    shows: { init_restarts: 1 },
  },
  'a new quota': {
    make: (host, zone) => host.zfs('set', 'quota=77g', `zones/${zone}`),
    shows: { quota: 77 },
  },
  'a new snapshot': {
    make: (host, zone) => host.zfs('snapshot', `zones/${zone}@vmsnap-now`),
    shows: { snapshots: [{ name: 'now' }] },
  },
  'a new alias': {
    silent: '.xml',
    make: (host, zone) => host.updateConfig(zone, { attrs: { alias: 'renamed' } }),
    shows: { alias: 'renamed' },
  },
  'new metadata': {
    silent: 'metadata.json',
    make: (host, zone) => host.setMetadata(zone, 'customer_metadata', { version: 2 }),
    shows: { customer_metadata: { version: 2 } },
  },
  'a new route': {
    silent: 'routes.json',
    make: (host, zone) => host.setRoutes(zone, { '10.2.0.0/16': '10.0.0.1' }),
    shows: { routes: { '10.2.0.0/16': '10.0.0.1' } },
  },
};

for (const [what, { silent = 'nothing', make, shows }] of Object.entries(changes)) {
  void tap.test(`a sync shows ${what} that no event told of, though tags change meanwhile`, async (t) => {
    const daemon = await startTestDaemon(t, { watch: deafTo(silent) });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    host.dropEvents({ zones: true, zfs: true });
    const listening = await daemon.listen();
    await make(host, zonename);
    const zoneadm = answersLate(host, '/usr/sbin/zoneadm', '*list -p*');
    const answer = daemon.get(`/vms/${zonename}?sync=true`);
    await zoneadm.asked;
    await host.setTags(zonename, { meanwhile: true });
    await listening.until(changeOf(zonename, 'tags.meanwhile', true));
    zoneadm.answer();
    t.match(await answer, { status: 200, json: { ...shows, tags: { meanwhile: true } } });
  });
}

const quotaOf = async (answer: ReturnType<TestDaemon['get']>) =>
  ((await answer).json as { readonly quota: number }).quota;

const beside: Readonly<
  Record<string, { rounds: number; happen: (daemon: TestDaemon, zonename: string) => unknown }>
> = {
  'tags change': { rounds: 10, happen: ({ host }, zone) => host.setTags(zone, { at: Date.now() }) },
  'its init is restarted': { rounds: 3, happen: ({ host }, zone) => host.restartInit(zone) },
  'everything is rescanned': {
    rounds: 3,
    happen: ({ requests }) => {
      requests.next({ type: 'everything', reason: 'a sync has just been asked for' });
    },
  },
};

for (const [what, { rounds, happen }] of Object.entries(beside)) {
  void tap.test(`each sync shows the quota set just before, while zfs is slow and ${what}`, async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    host.dropEvents({ zfs: true });
    host.setFault('zfs', { delayMs: 120 });
    const quotas = Array.from({ length: rounds }, (_, index) => 70 + index);
    const answered: number[] = [];
    for (const quota of quotas) {
      await host.zfs('set', `quota=${quota}g`, `zones/${zonename}`);
      const answer = daemon.get(`/vms/${zonename}?sync=true`);
      await wait(15);
      await happen(daemon, zonename);
      answered.push(await quotaOf(answer));
    }
    t.strictSame(answered, quotas);
  });
}

const restartInit = (host: SimulatedHost, zone: string) => host.restartInit(zone);
const setQuota = (quota: number) => (host: SimulatedHost, zone: string) =>
  host.zfs('set', `quota=${quota}g`, `zones/${zone}`);
const under: readonly {
  readonly command: string;
  readonly before: SilentChange['make'];
  readonly after: SilentChange['make'];
  readonly shows: object;
}[] = [
  {
    command: '/usr/sbin/zoneadm',
    before: restartInit,
    after: (host, zone) => host.stop(zone),
    shows: { state: 'stopped', pid: undefined },
  },
  { command: '/usr/bin/kstat', before: restartInit, after: restartInit, shows: { init_restarts: 2 } },
  { command: '/usr/sbin/zfs', before: setQuota(50), after: setQuota(77), shows: { quota: 77 } },
];

for (const { command, before, after, shows } of under) {
  void tap.test(`a sync is not answered by what ${command} had read before it`, async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const late = answersLate(host, command, '*');
    await before(host, zonename);
    await late.asked;
    host.dropEvents({ zones: true, zfs: true });
    await after(host, zonename);
    const answer = daemon.get(`/vms/${zonename}?sync=true`);
    late.answer();
    t.match(await answer, { status: 200, json: shows });
    await eventually(async () => (await daemon.status()).queue.idle, 'nothing is left to read');
    t.match(await daemon.vm(zonename), shows, 'nothing older came after it');
  });
}

const readers: Readonly<Record<string, (daemon: TestDaemon, zonename: string) => Promise<unknown>>> = {
  'a sync': ({ get }, zonename) => get(`/vms/${zonename}?sync=true`),
  'a rescan': ({ rescan }) => rescan(),
};

for (const [who, reads] of Object.entries(readers)) {
  void tap.test(
    `${who} that begins while a new zone is read for its event waits for all of it`,
    async (t) => {
      const daemon = await startTestDaemon(t);
      const { host } = daemon;
      const isWaiting = async () => (await daemon.status()).queue.vasync_queue.nqueued > 0;
      host.dropEvents({ zfs: true });
      const zoneadm = answersLate(host, '/usr/sbin/zoneadm', '*list*');
      const zfs = answersLate(host, '/usr/sbin/zfs', '*list*zones/*');
      const zonename = await host.createZone();
      await zoneadm.asked;
      let isDone = false;
      const done = reads(daemon, zonename).then(() => {
        isDone = true;
      });
      if (who === 'a sync') await eventually(isWaiting, 'it waits for the zone');
      zoneadm.answer();
      await zfs.asked;
      await eventually(async () => isDone || (await isWaiting()), 'it waits for the datasets');
      t.equal(isDone, false);
      zfs.answer();
      await done;
      t.match(await daemon.vm(zonename), { state: 'running', quota: Number });
    },
  );
}

void tap.test('a sync for which zfs failed says so, though tags were read meanwhile', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  host.dropEvents({ zfs: true });
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  host.setFault('zfs', { match: zonename, exitCode: 1, stderr: 'internal error' });
  const zfs = answersLate(host, '/usr/sbin/zfs', '*');
  const answer = daemon.get(`/vms/${zonename}?sync=true`);
  await zfs.asked;
  await host.setTags(zonename, { meanwhile: true });
  await listening.until(changeOf(zonename, 'tags.meanwhile', true));
  zfs.answer();
  t.match(await answer, { status: 503, text: /cannot read datasets: .*internal error/ });
  host.clearFaults('zfs');
  await eventually(
    async () => (await daemon.get(`/vms/${zonename}?sync=true`)).status === 200,
    'it is readable again',
  );
  t.match(await daemon.vm(zonename), { quota: 77 });
});

void tap.test(
  'syncs of zones that somebody made up leave nothing behind, even while zoneadm fails',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    host.setFault('zoneadm', { exitCode: 1, stderr: 'zoneadm: out of luck' });
    const names = Array.from({ length: 50 }, (_, index) => `made-up-${index}`);
    const answers = await Promise.all(names.map((name) => daemon.get(`/vms/${name}?sync=true`)));
    for (const { status, text } of answers) {
      t.equal(status, 503, 'nobody knows whether there is such a zone');
      t.match(text, /out of luck/);
    }
    t.strictSame((await daemon.status()).loadErrors, [], 'no load errors');
    host.resetInvocations();
    await wait(1_000);
    t.strictSame(host.invocations('zoneadm'), [], 'nobody goes on asking');
    host.clearFaults('zoneadm');
    for (const name of names.slice(0, 3)) t.equal((await daemon.get(`/vms/${name}?sync=true`)).status, 404);
  },
);
