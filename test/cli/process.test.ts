/** vminfo as its users start it: a process of its own. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import tap from 'tap';
import { aVm, uuids } from '../client/a-vm.js';
import { FakeDaemon } from '../client/fake-daemon.js';

const vminfo = fileURLToPath(new URL('../../sbin/vminfo.cjs', import.meta.url));
const exec = promisify(execFile);

void tap.test('prints and exits', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  t.match(await exec(process.execPath, [vminfo, '--url', daemon.url, 'ping']), {
    stdout: 'pong\n',
    stderr: '',
  });
  await daemon.down();
  await t.rejects(exec(process.execPath, [vminfo, '--url', daemon.url, 'ping']), {
    code: 1,
    stdout: '',
    stderr: /^vminfo: cannot reach vminfod at .*\n$/,
  });
});

void tap.test('all of a large answer reaches a pipe', async (t) => {
  const vms = Array.from({ length: 1000 }, (_, index) =>
    aVm({ zonename: `zone-${index}`, customer_metadata: { 'user-script': 'x'.repeat(2000) } }),
  );
  const daemon = await FakeDaemon.start(t, { vms });
  const { stdout } = await exec(process.execPath, [vminfo, '--url', daemon.url, 'vms'], {
    maxBuffer: 2 ** 26,
  });
  t.strictSame(JSON.parse(stdout), vms);
});

void tap.test('events piped into head end quietly', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const shell = spawn('bash', [
    '-c',
    '"$0" "$@" | head -n 1; exit ${PIPESTATUS[0]}',
    process.execPath,
    vminfo,
    '--url',
    daemon.url,
    'events',
  ]);
  let output = '';
  for (const stream of [shell.stdout, shell.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(shell, 'close');
  await daemon.listening();
  let quota = 100;
  while (daemon.listeners > 0) {
    daemon.change(uuids.web, { quota: quota++ });
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.strictSame(await closed, [0, null]);
  t.match(output, /^\d\d:\d\d:\d\d web quota 10 -> 100 GiB\n$/);
});

void tap.test('events: at Ctrl-C --summary says how much happened', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const child = spawn(process.execPath, [vminfo, '--url', daemon.url, 'events', '--summary']);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    // Once: a second one may meet a process that is at its end, and handles nothing any more.
    if (output.includes('12 GiB') && !child.killed) child.kill('SIGINT');
  });
  const closed = once(child, 'close');
  await daemon.listening();
  daemon.change(uuids.web, { quota: 11 });
  daemon.change(uuids.web, { quota: 12 });
  t.strictSame(await closed, [0, null]);
  t.match(output, /quota 11 -> 12 GiB\n\nIn \d+ s, of 1 VM: 2 changed\.\n$/);
});
