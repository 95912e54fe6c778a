import tap from 'tap';
import { eventLog as logLimits } from '../../lib/config.js';
import { FakeDaemon } from '../client/fake-daemon.js';
import { startTestDaemon } from '../daemon/harness.js';
import { aSmallVm, instance, serve } from '../http/serve.js';
import { run } from './run.js';

void tap.test('history: a quota change, with old, new and time', async (t) => {
  const { daemon, host, vms, listen } = await startTestDaemon(t);
  const { zonename = '', quota = 0 } = (await vms()).find(({ brand }) => brand !== 'bhyve') ?? {};
  const listening = await listen();
  await host.zfs('set', `quota=${quota + 1}g`, `zones/${zonename}`);
  const event = await listening.until(({ type }) => type === 'modify');
  const { stdout, stderr, status } = await run(daemon.url, ['history', zonename]);
  t.equal(status, 0);
  t.equal(stderr, '');
  t.match(stdout, `${event.date} ${zonename.slice(0, 8)} `);
  t.match(stdout, `  quota ${quota} -> ${quota + 1} GiB\n`);
});

void tap.test('history: the newest last, and no more than asked for', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2)] });
  store.put(aSmallVm(1, { quota: 11 }));
  store.put(aSmallVm(1, { quota: 12 }));
  store.put(aSmallVm(2, { alias: 'evil\u001b[2J' }));
  store.delete(aSmallVm(2).zonename);
  const told = async (...argv: string[]) => {
    const { stdout, stderr, status } = await run(url, ['history', ...argv]);
    t.same({ stderr, status }, { stderr: '', status: 0 }, argv.join(' '));
    return stdout.replaceAll(/^\d{4}-\S*Z /gm, '');
  };
  t.equal(
    await told(),
    '00000000 vm1  quota 10 -> 11 GiB\n' +
      '00000000 vm1  quota 11 -> 12 GiB\n' +
      '00000000 evil\\u001b[2J  renamed vm2 -> evil\\u001b[2J\n' +
      '00000000 evil\\u001b[2J  deleted\n',
  );
  t.equal(await told('-n', '1', '-t', 'modify', '-p', 'quota'), '00000000 vm1  quota 11 -> 12 GiB\n');
  t.equal(await told('-f', '-n1'), `${aSmallVm(2).uuid} evil\\u001b[2J  deleted\n`);
  const lines = (await run(url, ['history', '-j', '-n2'])).stdout.trimEnd().split('\n');
  t.match(
    lines.map((line) => JSON.parse(line) as unknown),
    [
      { seq: 3, type: 'modify', alias: 'evil\u001b[2J' },
      { seq: 4, type: 'delete' },
    ],
  );
});

void tap.test(
  'history: secrets are masked, and what only follows is left out, unless they are asked for',
  async (t) => {
    const vm = aSmallVm(1, { vnc_password: 'hunter1', last_modified: '2026-11-27T12:00:00.000Z' });
    const { url, store } = await serve(t, { vms: [vm] });
    store.put({ ...vm, vnc_password: 'hunter2', last_modified: '2026-11-27T12:00:01.000Z' });
    for (const argv of [[], ['-j'], ['-v']]) {
      t.notMatch((await run(url, ['history', ...argv])).stdout, /hunter/, argv.join(' '));
      t.match(
        (await run(url, ['history', '--show-secrets', ...argv])).stdout,
        /hunter1.*hunter2/,
        argv.join(' '),
      );
    }
    t.notMatch((await run(url, ['history'])).stdout, /last_modified/);
    t.match((await run(url, ['history', '-v'])).stdout, /last_modified/);
  },
);

void tap.test('history: of a log that has wrapped it says what it no longer has', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  for (let n = 1; n <= logLimits.maxEvents + 1; n++) store.put(aSmallVm(1, { quota: 10 + n }));
  const all = await run(url, ['history', '-n', '5000']);
  t.equal(all.stdout.split('\n').length - 1, logLimits.maxEvents, 'in several answers, each event once');
  t.match(all.stderr, /^vminfo: what happened before \d{4}-\S*Z is no longer kept\n$/);
  t.equal((await run(url, ['history', '-n', '10'])).stderr, '', 'what was asked for is there');
});

void tap.test('history: since a time or a position, and counted by what there is to tell', async (t) => {
  const vm = aSmallVm(1, { last_modified: '2026-11-27T12:00:00.000Z' });
  const { url, store } = await serve(t, { vms: [vm] });
  store.put({ ...vm, quota: 11 });
  store.put({ ...vm, quota: 12 });
  for (let n = 1; n < 6; n++) store.put({ ...vm, quota: 12, last_modified: `2026-11-27T12:00:0${n}.000Z` });
  const told = async (...argv: string[]) => {
    const { stdout, stderr, status } = await run(url, ['history', ...argv]);
    t.same({ stderr, status }, { stderr: '', status: 0 }, argv.join(' '));
    return stdout.replaceAll(/^\d{4}-\S*Z 00000000 vm1 {2}/gm, '');
  };
  t.equal(await told('-n', '1'), 'quota 11 -> 12 GiB\n', 'what only follows does not count');
  t.equal(await told('--since', `${instance}:1`), 'quota 11 -> 12 GiB\n');
  t.equal(await told('--since', '1h'), 'quota 10 -> 11 GiB\nquota 11 -> 12 GiB\n');
  t.equal(await told('--since', '1h', '-n', '1'), 'quota 11 -> 12 GiB\n');
  const { stderr } = await run(url, ['history', '--since', 'other:1']);
  t.equal(stderr, 'vminfo: vminfod has been restarted since then, and does not know what happened before\n');
  t.equal((await run(url, ['history', '--since', 'yesterday'])).status, 2);
});

void tap.test('history: wrong usage, and a daemon that keeps none', async (t) => {
  const { url } = await serve(t);
  for (const argv of [
    ['-n', '0'],
    ['-n', 'x'],
    ['-t', 'ready'],
  ]) {
    t.equal((await run(url, ['history', ...argv])).status, 2, argv.join(' '));
  }
  const old = await FakeDaemon.start(t, { old: true });
  const { status, stderr } = await run(old.url, ['history']);
  t.equal(status, 1);
  t.equal(stderr, `vminfod at ${old.url} does not keep past events\n`);
});
