/** `npm run demo`: what it shows, what it refuses, and that it leaves nothing behind, however it ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import tap, { type Test } from 'tap';
import { processesOf } from '../processes.js';
import { eventually } from './harness.js';

const demo = fileURLToPath(new URL('../../sbin/demo.js', import.meta.url));

/** A demo with something on its screen. */
async function start(t: Test) {
  const child = spawn(process.execPath, [demo, '--port', '0', '--vms', '3'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const closed = once(child, 'close');
  await eventually(() => /^\d\d:\d\d:\d\d \S+ .*\n/m.test(output), 'something happens');
  const [root = ''] = /\/\S+simulated-gz-\w+/.exec(output) ?? [];
  return { child, root, closed, output: () => output };
}

void tap.test('the demo leaves nothing behind when it is killed', { timeout: 120_000 }, async (t) => {
  const first = await start(t);
  t.equal(processesOf(first.root).length, 2, 'two sysevents');
  first.child.kill('SIGKILL');
  await first.closed;
  await eventually(() => processesOf(first.root).length === 0, 'its children have ended');
  t.ok(existsSync(first.root), 'its tree is still there');

  const second = await start(t);
  t.notOk(existsSync(first.root), 'the next demo has removed it');
  second.child.kill('SIGINT');
  t.strictSame(await second.closed, [0, null]);
  t.match(second.output(), /\n\nIn \d+ s, of \d VMs?: \d+ .*\.\n$/, 'it says how much happened');
  t.notOk(existsSync(second.root));
  t.equal(processesOf(second.root).length, 0);
});

void tap.test('the demo says what it cannot do', async (t) => {
  for (const [argv, says] of [
    [['--vms', '0'], /'0' is invalid.*Expected 1 to 10000/],
    [['--port', 'x'], /Expected a whole number/],
  ] as const) {
    const { exitCode, stderr } = await execa(process.execPath, [demo, ...argv], { reject: false });
    t.equal(exitCode, 1);
    t.match(stderr, says);
    t.equal(stderr.split('\n').length, 1, 'in one line');
  }
});
