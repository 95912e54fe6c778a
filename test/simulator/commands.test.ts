/**
 * zoneadm, kstat and sysevent of the simulated host print what a SmartOS host's print, byte for byte.
 */
import tap from 'tap';
import { createSimulatedHost, historyLine } from '../../lib/simulator/index.js';
import { pathsOf } from '../../lib/simulator/paths.js';
import { ZoneStore } from '../../lib/simulator/zone-store.js';
import { listen, run } from './run.js';

void tap.test('zoneadm', async (t) => {
  const host = await createSimulatedHost({ vms: 12, oddName: true });
  t.teardown(() => host.remove());
  const [running, stopped] = ['running', 'installed'].map((state) =>
    host.zonenames().find((name) => host.zone(name).state === state && host.zone(name).uuid === name),
  );
  const line = (name = ''): string => {
    const { state, zoneid, config, uuid } = host.zone(name);
    const id = state === 'running' ? zoneid : '-';
    return `${id}:${name}:${state}:/zones/${name}:${uuid}:${config.brand}:excl:${config.debugid}\n`;
  };

  await t.test('all zones, the global one first', async (t) => {
    const { stdout, stderr, exitCode } = await run(host, 'zoneadm', 'list', '-p', '-c');
    const [first, ...rest] = stdout.split(/(?<=\n)/);
    t.equal(first, '0:global:running:/::liveimg:shared:0\n');
    t.same(rest.sort(), host.zonenames().map(line).sort());
    t.same([stderr, exitCode], ['', 0]);
  });

  await t.test('only those that run, without -c', async (t) => {
    const { stdout } = await run(host, 'zoneadm', 'list', '-p');
    t.match(stdout, line(running));
    t.notMatch(stdout, line(stopped));
  });

  await t.test('one zone, by name or UUID', async (t) => {
    t.same(await run(host, 'zoneadm', '-z', stopped ?? '', 'list', '-p'), {
      stdout: line(stopped),
      stderr: '',
      exitCode: 0,
    });
    const { uuid } = host.zone('build-zone');
    t.equal((await run(host, 'zoneadm', '-z', uuid, '-u', uuid, 'list', '-p')).stdout, line('build-zone'));
  });

  await t.test('a zone that is not there', async (t) => {
    t.same(await run(host, 'zoneadm', '-z', 'nope', 'list', '-p'), {
      stdout: '',
      stderr: 'zoneadm: nope: No such zone configured\n',
      exitCode: 1,
    });
  });
});

void tap.test('kstat', async (t) => {
  const host = await createSimulatedHost({ vms: 12 });
  t.teardown(() => host.remove());
  const args = ['-j', '-m', 'zones', '-c', 'zone_misc'];

  await t.test('an element for the global zone and each with a kernel instance', async (t) => {
    const { stdout, exitCode } = await run(host, 'kstat', ...args);
    const elements = JSON.parse(stdout) as {
      name: string;
      instance: number;
      data: Record<string, unknown>;
    }[];
    t.equal(exitCode, 0);
    const expected = host.zonenames().filter((name) => host.zone(name).zoneid !== null);
    t.same(elements.map(({ data }) => data['zonename']).sort(), ['global', ...expected].sort());
    for (const { name, instance, data } of elements.slice(1)) {
      const zone = host.zone(String(data['zonename']));
      t.equal(name, zone.zonename.slice(0, 30));
      t.same(
        [instance, data['init_pid'], data['init_restarts'], data['boot_time']],
        [zone.zoneid, zone.initPid, zone.initRestarts, zone.bootTime],
      );
    }
  });

  await t.test('pretty-printed with tabs', async (t) => {
    const { stdout } = await run(host, 'kstat', ...args);
    t.match(stdout, /^\[\{\n\t"module": "zones",\n\t"instance": 0,\n\t"name": "global",\n/);
    t.match(stdout, /\n\t"data": \{\n\t\t"avenrun_15min": \d+,\n/);
    t.match(stdout, /"\n\t\}\n\}, \{\n\t"module": "zones",\n/);
    t.match(stdout, /\n\t\}\n\}\]\n$/);
  });

  await t.test('a question mark is escaped, which is not JSON', async (t) => {
    const zone = { ...host.zone(host.zonenames()[0] ?? ''), zonename: 'what?', uuid: '', zoneid: 99 };
    new ZoneStore(pathsOf(host.root)).put(zone);
    t.match((await run(host, 'kstat', ...args)).stdout, '"zonename": "what\\?"\n');
  });

  await t.test('nothing matched', async (t) => {
    t.same(await run(host, 'kstat', ...args, '-i', '999'), { stdout: '[]\n', stderr: '', exitCode: 1 });
  });
});

void tap.test('sysevent', async (t) => {
  const host = await createSimulatedHost({ vms: 1 });
  t.teardown(() => host.remove());
  const event = (detail: string): string =>
    historyLine({ name: 'set', dataset: 'zones/a', detail, dsid: 1, txg: 7 });

  await t.test('ready, then all that is posted after it and nothing before', async (t) => {
    host.postEvents('zfs', [event('before')]);
    const sysevents = listen(host, '-rj', 'EC_zfs', 'ESC_ZFS_history_event');
    t.match(await sysevents.next(), { type: 'ready', date: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ });
    host.postEvents('zfs', [event('1'), event('2')]);
    t.match(await sysevents.next(), { type: 'event', data: { history_internal_str: '1' } });
    t.match(await sysevents.next(), {
      data: { history_internal_str: '2', history_txg: 7, pool_name: 'zones' },
    });
    t.equal(host.syseventPids('zfs').length, 1);
    await sysevents.kill();
    t.same(host.syseventPids(), []);
  });

  await t.test('the channels are apart', async (t) => {
    const sysevents = listen(host, '-rj', '-c', 'com.sun:zones:status');
    await sysevents.next();
    await host.zfs('set', 'quota=7g', 'zones');
    await host.reboot(host.zonenames()[0] ?? '');
    t.match(await sysevents.next(), { publisher: 'kernel', channel: 'com.sun:zones:status' });
    await sysevents.kill();
  });

  await t.test('the kernel drops events', async (t) => {
    const sysevents = listen(host, '-rj', 'EC_zfs', 'ESC_ZFS_history_event');
    await sysevents.next();
    host.dropEvents({ zfs: true });
    await host.zfs('set', 'quota=8g', 'zones');
    host.dropEvents({ zfs: false });
    await host.zfs('set', 'quota=9g', 'zones');
    t.match(await sysevents.next(), { data: { history_internal_str: `quota=${9 * 2 ** 30}` } });
    await sysevents.kill();
  });

  await t.test('64-bit integers are printed in full', (t) => {
    t.match(event('x'), '"pool_guid":2409849472004588773,');
    t.end();
  });
});

void tap.test('invocations are counted with their arguments', async (t) => {
  const host = await createSimulatedHost({ vms: 0 });
  t.teardown(() => host.remove());
  await run(host, 'zoneadm', 'list', '-p', '-c');
  await run(host, 'zfs', 'list', '-H', '-p', '-o', 'name', 'name with space', '');
  t.same(host.invocations('zoneadm'), [['list', '-p', '-c']]);
  t.same(host.invocations('zfs'), [['list', '-H', '-p', '-o', 'name', 'name with space', '']]);
  host.resetInvocations();
  t.same(host.invocations('zoneadm'), []);
});
