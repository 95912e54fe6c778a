/** `vminfo doctor` on a real daemon in trouble. */
import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import tap, { type Test } from 'tap';
import { eventually, startTestDaemon } from '../daemon/harness.js';
import { run } from './run.js';

/** Resolves when doctor says this, in an answer that has status 1. */
async function says(t: Test, url: string, pattern: RegExp): Promise<void> {
  await eventually(async () => {
    const { status, stdout } = await run(url, ['doctor']);
    return pattern.test(stdout) && status === 1;
  }, String(pattern));
  t.pass(String(pattern));
}

void tap.test('doctor names what is wrong with a daemon', async (t) => {
  const { host, daemon, rescan, requests } = await startTestDaemon(t);
  t.match(await run(daemon.url, ['doctor']), { status: 0, stdout: /^vminfod is well/ });

  const [zonename = ''] = host.zonenames();
  await writeFile(host.configFile(zonename, 'tags'), 'not json');
  await says(t, daemon.url, new RegExp(`trouble: zone ${zonename}: its tags cannot be read`));
  await rm(host.configFile(zonename, 'tags'));
  await symlink('/etc/passwd', host.configFile(zonename, 'tags'));
  await says(
    t,
    daemon.url,
    new RegExp(`trouble: zone ${zonename}: .* is a symbolic link, which is not followed`),
  );
  await rm(host.configFile(zonename, 'tags'));
  await writeFile(host.configFile(zonename, 'tags'), '{}');
  await eventually(async () => (await run(daemon.url, ['doctor'])).status === 0, 'tags mended');

  host.setFault('sysevent', { exitCode: 1 });
  for (const pid of host.syseventPids()) process.kill(pid, 'SIGKILL');
  await says(t, daemon.url, /trouble: source \S+ is restarting since/);
  host.clearFaults();
  await eventually(async () => (await run(daemon.url, ['doctor'])).status === 0, 'sources healed');

  host.setFault('zfs', { exitCode: 1, stderr: 'internal error', full: true });
  requests.next({ type: 'everything', reason: 'test' });
  await says(t, daemon.url, /trouble: the last rescan failed .* ago: .*internal error/);
  host.clearFaults();
  await rescan();

  host.dropEvents({ zfs: true });
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  await rescan();
  await says(t, daemon.url, /trouble: \d+ changes? came without an event of zfs-events/);

  await daemon.close();
  await says(t, daemon.url, /trouble: cannot reach vminfod at /);
});

void tap.test('doctor: a root that is gone is one trouble, until it is back', async (t) => {
  const { host, daemon, requests, status } = await startTestDaemon(t, { vms: 8 });
  await rename(host.root, `${host.root}.away`);
  requests.next({ type: 'everything', reason: 'test' });
  await eventually(async () => {
    const { loadErrors, refreshErrors } = await status();
    return refreshErrors.length > 0 && loadErrors.length >= 8;
  }, 'the rescan has failed, and each VM has an error');
  const { stdout } = await run(daemon.url, ['doctor', '-j']);
  const { troubles } = JSON.parse(stdout) as { troubles: { what: string; advice: string }[] };
  t.match(troubles, [
    {
      what: /^the host cannot be read: there is no .*zoneadm/,
      advice: /--root.*\d VMs are shown as last seen/,
    },
  ]);
  t.match(await run(daemon.url, ['list']), {
    status: 0,
    stderr: /may have changed .* the host cannot be read/,
  });
  await rename(`${host.root}.away`, host.root);
  requests.next({ type: 'everything', reason: 'test' });
  await eventually(async () => (await run(daemon.url, ['doctor'])).status === 0, 'all is as it was');
});

void tap.test('doctor says what a booting daemon waits for', async (t) => {
  const { host, daemon } = await startTestDaemon(t, {
    booting: true,
    prepare: (simulated) => {
      simulated.setFault('zfs', { exitCode: 1 });
      return undefined;
    },
  });
  await says(t, daemon.url, /trouble: vminfod is still loading; it waits for \w/);
  host.clearFaults();
  await eventually(async () => (await run(daemon.url, ['doctor'])).status === 0, 'loaded');
});
