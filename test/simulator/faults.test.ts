/**
 * Faults take effect from a command's next start, under their conditions, and go without a trace.
 */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import tap, { type Test } from 'tap';
import { createSimulatedHost } from '../../lib/simulator/index.js';
import { run } from './run.js';

const all = ['list', '-p', '-c'];

void tap.test('faults', async (t) => {
  const host = await createSimulatedHost({ vms: 3 });
  t.teardown(() => host.remove());
  const [zonename = '', other = ''] = host.zonenames();
  const healthy = await run(host, 'zoneadm', ...all);
  const withFaults = (name: string, test: (t: Test) => Promise<void>): Promise<unknown> =>
    t.test(name, async (t) => {
      await test(t);
      host.clearFaults();
      t.same(await run(host, 'zoneadm', ...all), healthy, 'no trace is left');
    });

  await withFaults('an exit code and a word on stderr, for some arguments', async (t) => {
    host.setFault('zoneadm', { match: zonename, exitCode: 3, stderr: "it's broken" });
    const broken = await run(host, 'zoneadm', '-z', zonename, 'list', '-p');
    t.same(broken, { stdout: '', stderr: "it's broken\n", exitCode: 3 });
    t.equal((await run(host, 'zoneadm', '-z', other, 'list', '-p')).exitCode, 0);
  });

  await withFaults('only full listings', async (t) => {
    host.setFault('zfs', { full: true, exitCode: 1 });
    t.equal((await run(host, 'zfs', 'list', '-H', '-o', 'name')).exitCode, 1);
    t.equal((await run(host, 'zfs', 'list', '-H', '-o', 'name', 'zones')).exitCode, 0);
  });

  await withFaults('the first that matches is the one', async (t) => {
    host.setFault('zoneadm', { match: zonename, exitCode: 4 });
    host.setFault('zoneadm', { exitCode: 5 });
    t.equal((await run(host, 'zoneadm', '-z', zonename, 'list', '-p')).exitCode, 4);
    t.equal((await run(host, 'zoneadm', ...all)).exitCode, 5);
  });

  await withFaults('truncated output, garbage before it', async (t) => {
    host.setFault('zoneadm', { truncateBytes: 20, stdout: 'garbage' });
    const { stdout, exitCode } = await run(host, 'zoneadm', ...all);
    t.equal(stdout, `garbage\n${healthy.stdout.slice(0, 20)}`);
    t.equal(exitCode, 0);
  });

  await withFaults('a line that is spoilt; the exit code stays', async (t) => {
    host.setFault('zoneadm', { edit: `/:${zonename}:/s/:[a-z]*:/::/` });
    const { stdout, exitCode } = await run(host, 'zoneadm', ...all);
    t.equal(exitCode, 0);
    const spoilt = (line: string) => (line.includes(zonename) ? line.replace(/:[a-z]*:/, '::') : line);
    t.equal(stdout, healthy.stdout.split('\n').map(spoilt).join('\n'));
    t.match(await run(host, 'zoneadm', '-z', 'nobody', 'list', '-p'), { stdout: '', exitCode: 1 });
  });

  await withFaults('a delay', async (t) => {
    host.resetInvocations();
    host.setFault('zoneadm', { delayMs: 50 });
    const before = performance.now();
    t.same(await run(host, 'zoneadm', ...all), healthy);
    t.ok(performance.now() - before >= 50, 'not before its time');
    t.same(host.invocations('zoneadm'), [all], 'it is one invocation');
  });

  for (const [name, fault] of Object.entries({
    hang: { hang: true },
    'long delay': { delayMs: 3_600_000 },
  })) {
    await withFaults(`${name}: killing the command leaves nothing that holds its output open`, async (t) => {
      host.setFault('zoneadm', fault);
      const child = execa(host.path('/usr/sbin/zoneadm'), all, { reject: false });
      // Only once it has replaced itself is it certain that it waits.
      while (!(await waits(child.pid))) await new Promise(setImmediate);
      child.kill('SIGKILL');
      t.equal((await child).signal, 'SIGKILL');
    });
    await withFaults(`${name}: the command ends with whoever reads its output`, async (t) => {
      host.setFault('zoneadm', fault);
      const child = execa(host.path('/usr/sbin/zoneadm'), all, { reject: false });
      while (!(await waits(child.pid))) await new Promise(setImmediate);
      child.stdout.destroy();
      t.equal((await child).exitCode, 1);
    });
  }

  await withFaults('no executable', async (t) => {
    host.setFault('zoneadm', { missing: true });
    t.notOk(existsSync(host.path('/usr/sbin/zoneadm')));
    host.setFault('zoneadm', { missing: true });
    await t.rejects(execa(host.path('/usr/sbin/zoneadm'), all), { code: 'ENOENT' });
  });

  await withFaults('sysevent ends after ready, or says nothing', async (t) => {
    const args = ['-rj', '-c', 'com.sun:zones:status'];
    host.setFault('sysevent', { exitCode: 0, stderr: 'unwell', stdout: 'not JSON' });
    const { stdout, stderr, exitCode } = await run(host, 'sysevent', ...args);
    t.match(stdout, /^\{"date":"[^"]+","type":"ready"\}\nnot JSON\n$/);
    t.same([stderr, exitCode], ['unwell\n', 0]);
    host.clearFaults();
    host.setFault('sysevent', { noReady: true, exitCode: 2 });
    t.same(await run(host, 'sysevent', ...args), { stdout: '', stderr: '', exitCode: 2 });
  });
});

async function waits(pid: number | undefined): Promise<boolean> {
  const { stdout } = await execa('ps', ['-o', 'args=', '-p', String(pid)], { reject: false });
  return stdout.startsWith('perl ');
}
