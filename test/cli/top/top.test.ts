import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Readable } from 'node:stream';
import { pino } from 'pino';
import { Subject } from 'rxjs';
import tap, { type Test } from 'tap';
import { VminfodClient } from '../../../lib/client/client.js';
import { top as limits } from '../../../lib/config.js';
import { startDaemon } from '../../../lib/daemon.js';
import { createSimulatedHost, type SimulatedHost } from '../../../lib/simulator/index.js';
import type { VmObject } from '../../../lib/vm/vm-object.js';
import { aVm, uuids } from '../../client/a-vm.js';
import { FakeDaemon } from '../../client/fake-daemon.js';
import { descendantsOf } from '../../processes.js';
import { run } from '../run.js';
import { Terminal } from './terminal.js';

const vminfo = fileURLToPath(new URL('../../../sbin/vminfo.cjs', import.meta.url));

interface Scene {
  readonly host: SimulatedHost;
  readonly terminal: Terminal;
  readonly url: string;
  /** Ends the daemon; what it resolves with starts another one at the same place. */
  readonly stop: () => Promise<() => Promise<void>>;
  readonly vms: () => Promise<readonly VmObject[]>;
}

async function scene(t: Test, vms = 12): Promise<Scene> {
  const host = await createSimulatedHost({ vms });
  const start = (port: number) =>
    startDaemon({
      root: host.root,
      listen: '127.0.0.1',
      port,
      rescanIntervalMs: 2 ** 31 - 1,
      log: pino({ level: 'silent' }),
      requests: new Subject(),
    });
  let daemon = await start(0);
  const { url } = daemon;
  await using client = new VminfodClient({ url, name: 'top.test' });
  await client.ready();
  const terminal = await Terminal.open({ columns: 100, rows: 30 });
  t.teardown(async () => {
    await terminal[Symbol.asyncDispose]();
    await daemon.close();
    await host.remove();
  });
  return {
    host,
    terminal,
    url,
    stop: async () => {
      await daemon.close();
      return async () => {
        daemon = await start(Number(new URL(url).port));
      };
    },
    vms: async () => (await (await fetch(`${url}/vms`)).json()) as readonly VmObject[],
  };
}

/** Resolves when a text has come. */
function written(output: Readable, text: string): Promise<void> {
  return new Promise((resolve) => {
    let all = '';
    const take = (chunk: Buffer) => {
      all += chunk.toString();
      if (!all.includes(text)) return;
      output.off('data', take);
      resolve();
    };
    output.on('data', take);
  });
}

const command = (url: string) => `${process.execPath} ${vminfo} --url ${url} top; echo "status $?"`;

void tap.test('an operator looks at a host', { timeout: 180_000 }, async (t) => {
  const { host, terminal, url, stop, vms } = await scene(t);
  const before = await terminal.state();
  await terminal.type(command(url));
  await terminal.press('Enter');

  const first = await terminal.until(/connected/);
  const all = await vms();
  for (const { alias } of all) t.match(first, alias?.slice(0, 12), `${alias} is shown`);
  t.match(first, /12 VMs/);
  t.match(first, /ALIAS▲/);
  t.equal((await terminal.state()).alternate, true, 'on a screen of its own');

  const vm = all.find(({ hvm }) => !hvm);
  if (!vm?.alias) throw new Error('the simulated host has no zone with an alias');
  const output = await terminal.output();
  const times: number[] = [];
  const settings: number[] = [];
  let quota = vm.quota ?? 0;
  for (const next of [75, 76, 77]) {
    // Alone: changes that follow closely are drawn together.
    const lastAt = performance.now();
    while (performance.now() < lastAt + limits.redrawMs) await written(output, 'rescan ');
    const shown = written(output, `quota ${quota} -> ${next} GiB`);
    const startedAt = performance.now();
    await host.zfs('set', `quota=${next}g`, vm.zfs_filesystem ?? '');
    const setAt = performance.now();
    await shown;
    times.push(performance.now() - setAt);
    settings.push(setAt - startedAt);
    quota = next;
  }
  const text = (each: readonly number[]) => each.map((ms) => ms.toFixed(0)).join(', ');
  // Where nothing else runs, well under 100 ms.
  t.comment(
    `quotas were on the screen ${text(times)} ms after the simulated zfs had set them, in ${text(settings)} ms`,
  );
  t.ok(Math.min(...times) < 1_000);
  await terminal.until(/quota 76 -> 77 GiB/);
  t.match(
    await terminal.screen(),
    new RegExp(`● ${vm.alias} .* 77G +\\d+%`),
    'its row is marked, and shows how full its disk is',
  );

  await terminal.press('s');
  await terminal.until(/BRAND▲/);
  await terminal.press('r');
  await terminal.until(/BRAND▼/);

  await terminal.type(`/alias=${vm.alias}`);
  await terminal.until((screen) => screen.includes('1 of 12 VMs'));
  await terminal.press('Enter', 'Down', 'Enter');
  const open = await terminal.until(/PROPERTIES|STORAGE/);
  t.match(open, vm.uuid);
  t.match(open, /quota 76 -> 77 GiB/, 'its changes are there');
  t.match(open, /used +[█░]{20} \d+%, \S+ \w+ of 77 GiB/);
  await terminal.press('End');
  await terminal.until(/zonepath/);
  await terminal.press('Escape');
  await terminal.until(/ALIAS/);
  await terminal.press('Escape');
  // A key that came in one piece with the escape would be Alt and that key: first it must have been taken.
  await terminal.until((screen) => screen.includes(' 12 VMs') && !screen.includes('1 of 12 VMs'));

  await terminal.press('?');
  await terminal.until(/any key goes back/);
  await terminal.press('x');
  await terminal.until(/ALIAS/);

  await terminal.resize({ columns: 80, rows: 24 });
  const small = await terminal.until((screen) => screen.split('\n')[22]?.includes('q quit') ?? false);
  t.ok(small.split('\n').every((line) => line.length <= 80));
  t.match(small.split('\n')[0], /12 VMs .* connected/, 'nothing has moved');

  const start = await stop();
  await terminal.until(/no connection/);
  await host.zfs('set', 'quota=78g', vm.zfs_filesystem ?? '');
  await start();
  await terminal.until(/connected again, caught up with 1 change/);
  await terminal.until(/quota 77 -> 78 GiB/);

  await terminal.press('C-z');
  await terminal.until(/Stopped/);
  t.match(await terminal.state(), { alternate: false, cursor: true }, 'the shell has its terminal');
  await terminal.type('fg; echo "ended $?"');
  await terminal.press('Enter');
  await terminal.until(/12 VMs/);

  await terminal.press('q');
  await terminal.until(/ended 0\s+\$/);
  t.match(await terminal.state(), { alternate: false, cursor: true });
  t.equal((await terminal.state()).modes, before.modes, 'the terminal is as it was');
});

for (const [signal, status] of [
  ['TERM', 143],
  ['INT', 130],
  ['HUP', 129],
] as const) {
  void tap.test(`SIG${signal} leaves the terminal as it was`, { timeout: 120_000 }, async (t) => {
    const { terminal, url } = await scene(t, 1);
    const before = await terminal.state();
    await terminal.type(command(url));
    await terminal.press('Enter');
    await terminal.until(/connected/);
    const [top] = await descendantsOf(await terminal.shell());
    process.kill(top?.pid ?? 0, `SIG${signal}`);
    await terminal.until(new RegExp(`status ${status}\\s+\\$`));
    const { alternate, cursor, modes } = await terminal.state();
    t.strictSame({ alternate, cursor, modes }, before);
  });
}

void tap.test(
  'an error that nobody foresaw leaves the terminal as it was',
  { timeout: 120_000 },
  async (t) => {
    const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
    await using terminal = await Terminal.open({ columns: 100, rows: 30 });
    const before = await terminal.state();
    await terminal.type(command(daemon.url));
    await terminal.press('Enter');
    await terminal.until(/connected/);
    // No vminfod sends such a VM.
    const zonename = uuids.db;
    daemon.raw(
      `${JSON.stringify({ type: 'create', date: '', zonename, uuid: zonename, vm: { zonename } })}\n`,
    );
    const screen = await terminal.until(/status \d+\s+\$/);
    t.match(screen, /^vminfo: Cannot read properties/m, 'and says what it is');
    t.notMatch(screen, 'status 0');
    const { alternate, cursor, modes } = await terminal.state();
    t.strictSame({ alternate, cursor, modes }, before);
  },
);

void tap.test('without a terminal it says so, and -1 prints one frame', async (t) => {
  const { url, vms, host } = await scene(t, 3);
  const { status, stderr } = await run(url, ['top']);
  t.equal(status, 1);
  t.equal(stderr, 'vminfo: top needs a terminal; vminfo top -1 prints one frame without one\n');

  const vm = (await vms()).find(({ hvm }) => !hvm);
  await host.zfs('set', 'quota=77g', vm?.zfs_filesystem ?? '');
  while ((await vms()).every(({ quota }) => quota !== 77)) await new Promise(setImmediate);
  const frame = await promisify(execFile)(process.execPath, [
    vminfo,
    '--url',
    url,
    'top',
    '-1',
    '-s',
    'quota',
    '-r',
  ]);
  t.match(frame.stdout, /QUOT.*▼|QUOTA▼/);
  for (const { alias } of await vms()) t.match(frame.stdout, alias?.slice(0, 12));
  t.notMatch(frame.stdout, '\u001b');
  t.match(frame.stdout, /quota \d+ -> 77 GiB/, 'it begins with what has happened');

  t.match(await run(url, ['top', '-1', 'colour=blue']), { status: 2, stderr: /unknown property: colour/ });
});
