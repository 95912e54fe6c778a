/** `vminfo list -w` in a terminal. */
import { fileURLToPath } from 'node:url';
import tap from 'tap';
import { aVm, uuids } from '../client/a-vm.js';
import { FakeDaemon } from '../client/fake-daemon.js';
import { run } from './run.js';
import { Terminal } from './top/terminal.js';

const vminfo = fileURLToPath(new URL('../../sbin/vminfo.cjs', import.meta.url));

void tap.test('list -w keeps the table up to date where it stands', { timeout: 120_000 }, async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm(), aVm({ zonename: uuids.db, alias: 'db' })] });
  await using terminal = await Terminal.open({ columns: 70, rows: 10 });
  const columns = '-o alias,state,quota';
  await terminal.type(
    `${process.execPath} ${vminfo} --url ${daemon.url} list -w ${columns} -s alias; echo "status $?"`,
  );
  await terminal.press('Enter');
  const first = await terminal.until(/Ctrl-C ends it/);
  t.match(
    first,
    /^ALIAS +STATE +QUOTA\ndb +running +10 GiB\nweb +running +10 GiB\nas of \d\d:\d\d:\d\d; Ctrl-C/,
  );
  t.match(await terminal.state(), { alternate: true, cursor: false });

  daemon.change(uuids.web, { state: 'stopped', quota: 20 });
  await terminal.until(/^web +stopped +20 GiB$/m);
  t.match(await terminal.screen({ styles: true }), /db +\u001b\[32mrunning/);
  daemon.delete(uuids.db);
  t.notMatch(await terminal.until((screen) => !screen.includes('db')), /lost/);
  await daemon.down();
  await terminal.until(/lost, reconnecting/);
  daemon.set(aVm({ zonename: uuids.cache, alias: 'cache' }));
  await daemon.up();
  await daemon.listening();
  daemon.raw('{"type":"heartbeat","seq":0}\n');
  await terminal.until(/^cache +running[^]*Ctrl-C/m);
  await terminal.resize({ columns: 20, rows: 10 });
  const narrow = await terminal.until(/^cache +r\S*…$/m);
  t.ok(narrow.split('\n').every((line) => line.length <= 20));
  for (let n = 0; n < 12; n++) daemon.set(aVm({ zonename: `zone-${n}`, alias: `a${n}` }));
  await terminal.resize({ columns: 70, rows: 10 });
  await terminal.until(/7 more; as of/);

  await terminal.press('C-c');
  const after = await terminal.until(/status 0/);
  t.match(after, /^web +stopped +20 GiB\nstatus 0/m, 'the last of it stays');
  t.match(await terminal.state(), { alternate: false, cursor: true });
});

void tap.test('list -w where it cannot', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  t.match(await run(daemon.url, ['list', '-w']), { status: 1, stderr: /needs a terminal/ });
  for (const argv of [['-j'], ['-p'], ['-o', 'yaml']])
    t.equal((await run(daemon.url, ['list', '-w', ...argv])).status, 2, argv.join(' '));
});
