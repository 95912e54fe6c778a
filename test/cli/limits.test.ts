/** vminfo where it cannot have an answer, or cannot print it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import tap from 'tap';
import { aVm, uuids } from '../client/a-vm.js';
import { FakeDaemon } from '../client/fake-daemon.js';
import { run } from './run.js';

const vminfo = fileURLToPath(new URL('../../sbin/vminfo.cjs', import.meta.url));

void tap.test('ping against a daemon that is stopped: status 3 after 5 s', async (t) => {
  const script =
    'const server = require("http").createServer().listen(0, "127.0.0.1", () => console.log(server.address().port))';
  const daemon = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => daemon.kill('SIGKILL'));
  const [port] = (await once(daemon.stdout, 'data')) as [Buffer];
  daemon.kill('SIGSTOP');
  const startedAt = performance.now();
  const url = `http://127.0.0.1:${port.toString().trim()}`;
  const ping = await start(['--url', url, 'ping'], 'pipe');
  t.match(ping, { status: 3, stdout: '', stderr: `vminfo: no answer from vminfod at ${url} within 5 s\n` });
  // The time beyond 5 s is the start of the process: a second and more on a busy machine.
  t.comment(`it took ${Math.round(performance.now() - startedAt)} ms`);
});

void tap.test('every command that asks once has a limit, and its status is 3', async (t) => {
  const daemon = await FakeDaemon.start(t, { intercept: () => true });
  const commands = [
    ['ping'],
    ['status'],
    ['vms'],
    ['vm', uuids.web],
    ['get', uuids.web],
    ['list'],
    ['lookup'],
    ['diff', uuids.web],
    ['sync'],
    ['sync', uuids.web],
    ['events'],
  ];
  for (const argv of commands) {
    const { status, stderr, stdout } = await run(daemon.url, [...argv, '--timeout', '0.05']);
    t.match({ status, stdout }, { status: 3, stdout: '' }, argv.join(' '));
    t.match(stderr, /^vminfo: no answer from vminfod at http:\S+ within 0\.05 s\n$/);
  }
  const { status, stdout } = await run(daemon.url, ['--timeout', '0.05', 'doctor']);
  t.equal(status, 1);
  t.match(stdout, /^trouble: no answer from vminfod .* within 0\.05 s\n .*stopped/);
});

void tap.test('wait --timeout is how long it waits', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  for (const option of ['-t', '--timeout']) {
    const { status, stderr } = await run(daemon.url, ['wait', uuids.web, 'state=gone', option, '0.2']);
    t.equal(status, 1);
    t.match(stderr, /not within 0\.2 s: web is running/);
  }
});

void tap.test('a full disk: a message, and status 1', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  for (const argv of [['ping'], ['vms'], ['--help'], ['list', '--help'], ['completion', 'bash']]) {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = await start(['--url', daemon.url, ...argv], full);
    closeSync(full);
    t.equal(status, 1, argv.join(' '));
    t.match(stderr, /^vminfo: cannot write the output: ENOSPC: no space left on device, write\n$/);
  }
});

void tap.test('stderr that cannot be written changes nothing', async (t) => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [vminfo, '--url', 'http://127.0.0.1:1', 'ping'], {
    stdio: ['ignore', 'ignore', full],
  });
  closeSync(full);
  t.strictSame(await once(child, 'exit'), [1, null]);
});

async function start(argv: readonly string[], stdout: 'pipe' | number) {
  const child = spawn(process.execPath, [vminfo, ...argv], { stdio: ['ignore', stdout, 'pipe'] });
  const text = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, ...text };
}
