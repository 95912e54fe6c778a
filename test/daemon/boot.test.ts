/** Starting on a host that is not well: it is waited for and said what for, and one zone's trouble is that zone's. */
import { rmSync } from 'node:fs';
import tap from 'tap';
import type { Fault, SimulatedCommand } from '../../lib/simulator/index.js';
import { changeOf, eventsSufficed, zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';
import { killHanging } from '../processes.js';

const troubles: readonly (readonly [string, SimulatedCommand, Fault, string])[] = [
  ['zoneadm fails', 'zoneadm', { full: true, exitCode: 1, stderr: 'zoneadm: out of luck' }, 'zoneadm list'],
  ['zoneadm hangs', 'zoneadm', { full: true, hang: true }, 'zoneadm list'],
  ['zoneadm prints half a line', 'zoneadm', { full: true, truncateBytes: 100 }, 'zoneadm list'],
  ['zfs fails', 'zfs', { full: true, exitCode: 1, stderr: 'internal error' }, 'zfs list'],
  ['zfs hangs', 'zfs', { full: true, hang: true }, 'zfs list'],
];

for (const [what, command, fault, awaited] of troubles) {
  void tap.test(
    `${what} at boot: /status says what is awaited, the rest is 503, and it is retried`,
    async (t) => {
      const daemon = await startTestDaemon(t, {
        booting: true,
        prepare: (host) => {
          host.setFault(command, fault);
        },
      });
      const { host } = daemon;
      await eventually(() => host.invocations(command).length >= (fault.hang ? 1 : 2), 'it was tried');
      const status = await daemon.status();
      t.match(status, { state: 'booting', numVms: 0 });
      t.match(status.awaiting.join(', '), new RegExp(awaited));
      for (const path of ['/ping', '/vms', '/events', `/vms/${host.zonenames()[0] ?? ''}`]) {
        const answer = await daemon.get(path);
        t.match(
          answer,
          { status: 503, headers: { 'retry-after': /^\d+$/ }, text: new RegExp(awaited) },
          path,
        );
      }
      if (!fault.hang) t.match(status, { refreshErrors: [{ err: new RegExp(awaited) }] });
      host.clearFaults(command);
      if (fault.hang) t.ok((await killHanging()) > 0);
      await eventually(async () => (await daemon.get('/ping')).status === 200, 'it is ready');
      t.equal((await daemon.vms()).length, 3);
      t.match(await daemon.status(), { state: 'running', awaiting: [], loadErrors: [] });
      await eventsSufficed(t, daemon);
    },
  );
}

void tap.test(
  'kstat fails at boot: the VMs are there without what it tells, which comes later',
  async (t) => {
    const daemon = await startTestDaemon(t, {
      prepare: (host) => {
        host.setFault('kstat', { exitCode: 2, stderr: 'kstat: no' });
      },
    });
    const zonename = zoneOf(daemon.host, 'joyent-minimal');
    t.match(await daemon.vm(zonename), { state: 'running', pid: undefined });
    daemon.host.clearFaults('kstat');
    await eventually(async () => 'pid' in (await daemon.vm(zonename)), 'it is read again');
  },
);

void tap.test(
  'a missing sysinfo only leaves its properties out; its late appearance mends all VMs',
  async (t) => {
    const daemon = await startTestDaemon(t, {
      prepare: (host) => {
        rmSync(host.path('/tmp/.sysinfo.json'));
      },
    });
    const { host } = daemon;
    for (const vm of await daemon.vms()) t.match(vm, { server_uuid: undefined, quota: Number });
    const listening = await daemon.listen();
    await host.updateSysinfo({ UUID: '564d1a2b-0000-4000-8000-000000000001', 'Datacenter Name': 'emy-17' });
    for (const zonename of host.zonenames()) await listening.until(changeOf(zonename, 'datacenter_name'));
    for (const vm of await daemon.vms()) t.match(vm, { server_uuid: /^564d1a2b/, datacenter_name: 'emy-17' });
    await eventsSufficed(t, daemon, listening);
  },
);

void tap.test('tags, metadata and routes that were never readable are {} and a load error', async (t) => {
  const daemon = await startTestDaemon(t, {
    prepare: (host) => {
      const [zonename = ''] = host.zonenames();
      for (const file of ['tags', 'metadata', 'routes'] as const)
        host.corrupt(host.configFile(zonename, file), '{"role": ');
    },
  });
  const [zonename = ''] = daemon.host.zonenames();
  t.match(await daemon.vm(zonename), { tags: {}, customer_metadata: {}, routes: {}, quota: Number });
  const { loadErrors } = await daemon.status();
  t.strictSame(new Set(loadErrors.map(({ input }) => input)), new Set(['tags', 'metadata', 'routes']));
  t.ok(loadErrors.every(({ zone }) => zone === zonename));
});

void tap.test('what happens during the first load is seen right after it', async (t) => {
  const daemon = await startTestDaemon(t, {
    booting: true,
    prepare: (host) => {
      host.setFault('zfs', { full: true, hang: true });
    },
  });
  const { host } = daemon;
  const [stopped, resized] = [zoneOf(host, 'joyent-minimal'), zoneOf(host, 'lx')];
  await eventually(async () => (await daemon.status()).awaiting.join() === 'zfs list', 'the zones are read');
  await host.stop(stopped);
  await host.setTags(stopped, { role: 'db' });
  const created = await host.createZone();
  host.clearFaults('zfs');
  await killHanging();
  await host.zfs('set', 'quota=77g', `zones/${resized}`);
  await eventually(async () => (await daemon.get('/ping')).status === 200, 'it is ready');
  await eventually(async () => (await daemon.get(`/vms/${created}`)).status === 200, 'the new one is there');
  await eventually(async () => (await daemon.vm(stopped)).state === 'stopped', 'it is stopped');
  t.match(await daemon.vm(stopped), { tags: { role: 'db' } });
  await eventually(async () => (await daemon.vm(resized)).quota === 77, 'it has the quota');
  await eventsSufficed(t, daemon);
});

void tap.test('a host without zones', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 0 });
  t.strictSame(await daemon.vms(), []);
  const listening = await daemon.listen();
  const created = await daemon.host.createZone();
  await listening.until((event) => event.type === 'create' && event.zonename === created);
  await eventually(async () => (await daemon.vm(created)).state === 'running', 'it runs');
  await eventsSufficed(t, daemon, listening);
});
