/** vminfod as a process: how it starts, listens to signals, and ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import tap, { type Test } from 'tap';
import { createSimulatedHost, type SimulatedHost } from '../../lib/simulator/index.js';
import { descendantsOf, isShell } from '../processes.js';
import { hangingDirectory, noBindfs } from '../bindfs.js';
import { eventually, get, listen, type Status } from './harness.js';

const vminfod = fileURLToPath(new URL('../../sbin/vminfod.cjs', import.meta.url));

/** Alone on a machine it takes less than 2 s; SMF kills after 30. */
function endsSoon(t: Test, startedAt: number): void {
  const tookMs = Math.round(performance.now() - startedAt);
  t.comment(`it took ${tookMs} ms`);
  t.ok(tookMs < 15_000, 'long before SMF would kill it');
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  void tap.test(`${signal}: exit 0 soon, children gone, listeners get a clean end`, async (t) => {
    const { host, daemon, url } = await startProcess(t);
    const listening = await listen(url);
    host.setFault('zfs', { hang: true });
    const [zonename = ''] = host.zonenames();
    await host.zfs('set', 'quota=77g', `zones/${zonename}`);
    const processes = () => descendantsOf(daemon.pid);
    await eventually(
      async () => (await processes()).filter((each) => !isShell(each)).length === 3,
      'it has two sysevents and a zfs',
    );
    const started = await processes();
    const startedAt = performance.now();
    daemon.kill(signal);
    const [exit] = await Promise.all([once(daemon, 'exit'), listening.ended]);
    t.strictSame(exit, [0, null]);
    endsSoon(t, startedAt);
    t.ok(listening.endedCleanly(), 'the response ended as it should');
    await eventually(() => started.every(({ pid }) => !isRunning(pid)), 'all that it started is gone');
  });
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  void tap.test(
    `${signal} while a file system hangs: ends soon all the same`,
    { skip: noBindfs, timeout: 120_000 },
    async (t) => {
      const { host, daemon, url } = await startProcess(t);
      const [zonename = ''] = host.zonenames();
      const directory = await hangingDirectory(host.path(host.zone(zonename).zonepath));
      t.teardown(() => directory.remove());
      const listening = await listen(url);
      directory.hang();
      const synced = get(`${url}/vms/${zonename}?sync=true`).catch(() => 'cut off');
      const files = async () => ((await get(`${url}/status`)).json as Status).files;
      await eventually(async () => (await files()).stuck === 1, 'a thread is stuck');
      t.match(await files(), { threads: 2, hung: [{ zonename }] });
      const started = await descendantsOf(daemon.pid);
      const startedAt = performance.now();
      daemon.kill(signal);
      const [exit] = await Promise.all([once(daemon, 'exit'), listening.ended, synced]);
      t.strictSame(exit, [null, signal], 'by the kernel: node would wait for the thread');
      endsSoon(t, startedAt);
      t.ok(listening.endedCleanly(), 'the response ended as it should');
      await eventually(() => started.every(({ pid }) => !isRunning(pid)), 'all that it started is gone');
    },
  );
}

void tap.test('SIGKILL: all that it started ends with it, also a command that hangs', async (t) => {
  const { host, daemon } = await startProcess(t);
  host.setFault('zfs', { hang: true });
  const [zonename = ''] = host.zonenames();
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  const processes = () => descendantsOf(daemon.pid);
  await eventually(
    async () => (await processes()).filter(({ args }) => args.startsWith('perl ')).length === 1,
    'a zfs hangs',
  );
  const started = await processes();
  daemon.kill('SIGKILL');
  await eventually(() => started.every(({ pid }) => !isRunning(pid)), 'all that it started is gone');
});

void tap.test('SIGTERM while it starts', async (t) => {
  const { daemon, url } = await startProcess(t, {
    booting: true,
    prepare: (host) => {
      host.setFault('zoneadm', { hang: true });
    },
  });
  t.equal((await get(`${url}/ping`)).status, 503);
  daemon.kill('SIGTERM');
  t.strictSame(await once(daemon, 'exit'), [0, null]);
});

void tap.test('SIGHUP: a rescan', async (t) => {
  const { host, daemon, url, lines } = await startProcess(t);
  const [zonename = ''] = host.zonenames();
  host.dropEvents({ zfs: true });
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  daemon.kill('SIGHUP');
  await eventually(
    () => lines.some(({ msg }) => /^rescan \(SIGHUP\).*took \d/.test(String(msg))),
    'it is over',
  );
  t.match((await get(`${url}/vms/${zonename}`)).json, { quota: 77 });
  daemon.kill('SIGTERM');
  t.strictSame(await once(daemon, 'exit'), [0, null]);
});

void tap.test('a second daemon on the same port fails at once with a clear message', async (t) => {
  const { host, url } = await startProcess(t);
  const { port } = new URL(url);
  const second = run(t, ['--root', host.root, '--port', port]);
  const [code] = (await once(second.child, 'close')) as [number];
  t.equal(code, 1);
  t.match(second.stderr(), /^vminfod: cannot listen on 127\.0\.0\.1 port \d+: .*another vminfod.*\n$/);
  t.match(await get(`${url}/ping`), { status: 200 }, 'the first goes on');
  t.equal(host.syseventPids().length, 2, 'the second started nothing');
});

void tap.test('too few descriptors: one line that says what it needs, and exit 1', async (t) => {
  const host = await createSimulatedHost({ vms: 1 });
  t.teardown(() => host.remove());
  const command = `ulimit -n 64; exec "$0" "$1" --root "$2" --port 0`;
  const { exitCode, stderr } = await execa('sh', ['-c', command, process.execPath, vminfod, host.root], {
    reject: false,
  });
  t.equal(exitCode, 1);
  t.match(stderr, /^vminfod: it must be able to open 200 files, .*ulimit -n/);
  t.equal(stderr.split('\n').length, 1);
});

void tap.test('a low soft limit of descriptors is raised to the hard one', async (t) => {
  const { daemon } = await startProcess(t, { shell: 'ulimit -S -n 100; exec "$0" "$@"' });
  const limits = readFileSync(`/proc/${daemon.pid}/limits`, 'utf8');
  const [, soft, hard] = /^Max open files +(\d+) +(\d+)/m.exec(limits) ?? [];
  t.equal(soft, hard);
});

void tap.test('no zoneadm: one line that says what to do, and exit 1', async (t) => {
  const host = await createSimulatedHost({ vms: 1 });
  t.teardown(() => host.remove());
  rmSync(host.path('/usr/sbin/zoneadm'));
  const { child, stderr, stdout } = run(t, ['--root', host.root, '--port', '0']);
  t.strictSame(await once(child, 'close'), [1, null]);
  t.match(stderr(), /^vminfod: there is no .*zoneadm.*vminfod-sim.*\n$/);
  t.equal(stderr().split('\n').length, 2, 'one line');
  t.equal(stdout(), '');
});

// A module that is loaded before the daemon stands for any bug: on SIGUSR2 it throws, or rejects, where nobody catches.
for (const [what, bug] of [
  ['an uncaught exception', 'throw new RangeError("a bug")'],
  ['an unhandled rejection', 'Promise.reject(new RangeError("a bug"))'],
] as const) {
  void tap.test(`${what}: a logged stack, exit code ≠ 0, and no child left`, async (t) => {
    const preload = `process.on("SIGUSR2", () => { ${bug} })`;
    const { daemon, lines } = await startProcess(t, {
      node: ['--import', `data:text/javascript,${encodeURIComponent(preload)}`],
    });
    const started = await descendantsOf(daemon.pid);
    t.equal(started.filter((each) => !isShell(each)).length, 2);
    daemon.kill('SIGUSR2');
    const [code] = (await once(daemon, 'close')) as [number];
    t.equal(code, 1);
    t.match(lines.at(-1), { level: 60, err: { message: 'a bug', stack: /RangeError: a bug\n +at / } });
    await eventually(() => started.every(({ pid }) => !isRunning(pid)), 'all that it started is gone');
  });
}

interface ProcessOptions {
  readonly prepare?: (host: SimulatedHost) => void;
  readonly node?: readonly string[];
  /** A shell's command that starts it: `"$0" "$@"`. */
  readonly shell?: string;
  readonly booting?: boolean;
}

interface RunningProcess {
  readonly host: SimulatedHost;
  readonly daemon: ChildProcess;
  readonly url: string;
  /** What it logged. */
  readonly lines: readonly Record<string, unknown>[];
}

async function startProcess(t: Test, options: ProcessOptions = {}): Promise<RunningProcess> {
  const host = await createSimulatedHost({ vms: 2 });
  t.teardown(() => host.remove());
  options.prepare?.(host);
  const { child, stdout } = run(t, ['--root', host.root, '--port', '0'], options);
  const lines: Record<string, unknown>[] = [];
  child.stdout.on('data', () => {
    const complete = stdout().split('\n').slice(0, -1);
    lines.splice(0, lines.length, ...complete.map((line) => JSON.parse(line) as Record<string, unknown>));
  });
  const listening = () => lines.find(({ msg }) => String(msg).startsWith('listening on'));
  await eventually(() => listening() !== undefined, 'it listens');
  const url = String(listening()?.['url']);
  if (options.booting !== true)
    await eventually(async () => (await get(`${url}/ping`)).status === 200, 'it is ready');
  return { host, daemon: child, url, lines };
}

function run(
  t: Test,
  args: readonly string[],
  { node = [], shell }: Pick<ProcessOptions, 'node' | 'shell'> = {},
) {
  const direct = [process.execPath, ...node, vminfod, ...args];
  const [program = '', ...rest] = shell === undefined ? direct : ['/bin/sh', '-c', shell, ...direct];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return { child, stdout: () => text.stdout, stderr: () => text.stderr };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // there is no such process
  }
}
