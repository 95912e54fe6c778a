/** Sources heal: whatever happens to one, the daemon stays up, reports it, and misses nothing for long. */
import tap from 'tap';
import type { Fault, SimulatedCommand } from '../../lib/simulator/index.js';
import { faultyWatch } from '../host/faulty-watch.js';
import { changeOf, deaf, zoneOf } from './facts.js';
import { eventually, startTestDaemon, type TestDaemon } from './harness.js';
import { killHanging } from '../processes.js';

void tap.test('kill -9 of the zone sysevent: a change made while it was down appears', async (t) => {
  const daemon = await startTestDaemon(t, { watch: deaf });
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  for (const [index, change] of (['stop', 'start', 'stop'] as const).entries()) {
    const from = listening.events.length;
    kill(host.syseventPids('zones'));
    await host[change](zonename);
    await listening.until(changeOf(zonename, 'state', change === 'stop' ? 'stopped' : 'running'), from);
    t.match(await sourceOf(daemon, 'zone-events'), {
      ...{ state: 'running', restarts: index + 1, lastError: { message: /killed by SIGKILL/ } },
    });
  }
  t.match(await sourceOf(daemon, 'zfs-events'), { state: 'running', restarts: 0 });
});

void tap.test('kill -9 of the ZFS sysevent: a change made while it was down appears', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  for (const [index, quota] of [71, 72, 73].entries()) {
    kill(host.syseventPids('zfs'));
    await host.zfs('set', `quota=${quota}g`, `zones/${zonename}`);
    await listening.until(changeOf(zonename, 'quota', quota));
    t.match(await sourceOf(daemon, 'zfs-events'), { state: 'running', restarts: index + 1 });
  }
});

const readers: readonly (readonly [
  SimulatedCommand,
  string,
  (daemon: TestDaemon, zone: string) => Promise<unknown>,
])[] = [
  ['zoneadm', 'record', ({ host }, zone) => host.stop(zone)],
  ['kstat', 'kstat', ({ host }, zone) => host.restartInit(zone)],
  ['zfs', 'datasets', ({ host }, zone) => host.zfs('set', 'quota=77g', `zones/${zone}`)],
];
for (const [command, input, change] of readers) {
  void tap.test(`kill -9 of a ${command} that reads: it is on record and read again`, async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const listening = await daemon.listen();
    host.setFault(command, { hang: true });
    host.resetInvocations();
    await change(daemon, zonename);
    await eventually(() => host.invocations(command).length > 0, 'it hangs');
    await eventually(async () => (await killHanging()) > 0, 'it is killed');
    await eventually(
      async () =>
        (await daemon.status()).loadErrors.some((each) => each.zone === zonename && each.input === input),
      'it is on record',
    );
    host.clearFaults(command);
    await eventually(async () => {
      await killHanging(); // what was tried again before the fault was cleared
      return listening.events.some(({ zonename: each }) => each === zonename);
    }, 'the change is seen');
    await eventually(async () => (await daemon.status()).loadErrors.length === 0, 'nothing is left of it');
    await daemon.rescan();
    t.strictSame((await daemon.status()).refreshLog?.at(-1)?.vmChanges, []);
  });
}

const troubles: readonly (readonly [string, Fault, RegExp])[] = [
  ['writes to stderr', { stderr: 'sysevent: something is wrong' }, /stderr: sysevent: something is wrong/],
  ['writes garbage', { stdout: 'Segmentation fault' }, /expected JSON/],
  ['ends', { exitCode: 0 }, /ended with exit code 0/],
  ['fails', { exitCode: 3 }, /exit code 3/],
  ['is missing', { missing: true }, /is missing/],
];
for (const [what, fault, message] of troubles) {
  void tap.test(`a sysevent that ${what} at start is replaced, more and more slowly`, async (t) => {
    const daemon = await startTestDaemon(t, {
      watch: deaf,
      prepare: (host) => {
        host.setFault('sysevent', fault);
      },
    });
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    for (const name of ['zone-events', 'zfs-events']) {
      await eventually(async () => ((await sourceOf(daemon, name))?.restarts ?? 0) > 1, 'it is tried again');
      t.match(await sourceOf(daemon, name), { lastError: { message } });
    }
    await host.stop(zonename);
    host.clearFaults('sysevent');
    await eventually(
      async () => (await daemon.vm(zonename)).state === 'stopped',
      'a rescan follows its ready',
    );
    for (const name of ['zone-events', 'zfs-events'])
      await eventually(async () => (await sourceOf(daemon, name))?.state === 'running', 'it is well');
  });
}

void tap.test(
  'a sysevent that hangs before ready does not keep the daemon from its first load',
  async (t) => {
    const daemon = await startTestDaemon(t, {
      prepare: (host) => {
        host.setFault('sysevent', { noReady: true });
      },
    });
    const { host } = daemon;
    t.equal((await daemon.vms()).length, 3);
    t.match(await sourceOf(daemon, 'zone-events'), { state: 'starting' });
    host.clearFaults('sysevent');
    kill(host.syseventPids());
    for (const name of ['zone-events', 'zfs-events'])
      await eventually(async () => (await sourceOf(daemon, name))?.state === 'running', 'it is well');
  },
);

void tap.test('a failed or exhausted fs.watch degrades to polling and says so', async (t) => {
  for (const code of ['ENOSPC', 'EMFILE'] as const) {
    const watch = faultyWatch();
    watch.refuse(code);
    const daemon = await startTestDaemon(t, { watch: watch.source });
    const { host } = daemon;
    const [zonename = ''] = host.zonenames();
    const listening = await daemon.listen();
    t.match(await sourceOf(daemon, 'file-events'), {
      ...{ state: 'degraded', lastError: { message: new RegExp(code) } },
    });
    host.dropEvents({ zones: true, zfs: true });
    await host.setTags(zonename, { role: code });
    await host.updateConfig(zonename, { attrs: { alias: code } });
    const created = await host.createZone();
    await listening.until(changeOf(zonename, 'tags.role', code));
    await listening.until(changeOf(zonename, 'alias', code));
    await listening.until((event) => event.type === 'create' && event.zonename === created);
    watch.refuse(undefined);
    await daemon.rescan();
    await eventually(
      async () => (await sourceOf(daemon, 'file-events'))?.state === 'running',
      'it is well again',
    );
    await host.setTags(zonename, { role: 'watched' });
    await listening.until(changeOf(zonename, 'tags.role', 'watched'));
  }
});

void tap.test('a watch that breaks at run time is put back', async (t) => {
  const watch = faultyWatch();
  const daemon = await startTestDaemon(t, { watch: watch.source });
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  const listening = await daemon.listen();
  await watch.breakAll();
  await host.setTags(zonename, { role: 'db' });
  await listening.until(changeOf(zonename, 'tags.role', 'db'));
  await eventually(
    async () => (await sourceOf(daemon, 'file-events'))?.state === 'running',
    'it is well again',
  );
});

function kill(pids: readonly number[]): void {
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

async function sourceOf(daemon: TestDaemon, name: string) {
  return (await daemon.status()).sources.find((source) => source.name === name);
}
