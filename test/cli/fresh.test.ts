import tap, { type Test } from 'tap';
import { aVm, uuids } from '../client/a-vm.js';
import { FakeDaemon, json } from '../client/fake-daemon.js';
import { run } from './run.js';

/** A daemon whose cache is wrong about the quota of one VM until it is asked to sync. */
function wrongAbout(zonename: string) {
  return (t: Test) =>
    FakeDaemon.start(t, {
      vms: [aVm(), aVm({ zonename: uuids.db })],
      intercept: (path, response) => {
        const fresh = path === `/vms/${zonename}?sync=true`;
        if (fresh) json(response, 200, aVm({ zonename, quota: 20 }));
        return fresh;
      },
    });
}

void tap.test('diff prints what the cache has wrong, with status 1', async (t) => {
  const daemon = await wrongAbout(uuids.web)(t);
  t.strictSame(await run(daemon.url, ['diff', uuids.web]), {
    status: 1,
    stdout: 'quota changed :: 10 -> 20\n',
    stderr: '',
  });
  const { stdout } = await run(daemon.url, ['diff', '-j', uuids.web]);
  t.match(JSON.parse(stdout), [{ path: ['quota'], action: 'changed', oldValue: 10, newValue: 20 }]);
  t.strictSame(await run(daemon.url, ['diff', uuids.db]), { status: 0, stdout: '', stderr: '' });
  t.match(await run(daemon.url, ['diff', 'none']), {
    status: 1,
    stderr: /no VM has .* "none"/,
  });
});

void tap.test('sync has one VM or all read afresh', async (t) => {
  const daemon = await wrongAbout(uuids.web)(t);
  t.match(await run(daemon.url, ['sync', uuids.db]), { status: 0, stdout: '1 VM is up to date\n' });
  t.equal(daemon.requests.at(-1)?.path, `/vms/${uuids.db}?sync=true`);
  t.match(await run(daemon.url, ['sync', '-j']), { status: 0, stdout: '{"synced":2}\n' });
  t.match(await run(daemon.url, ['sync', 'none']), {
    status: 1,
    stderr: /no VM has .* "none"/,
  });
});

void tap.test('sync that takes too long fails with the reason', async (t) => {
  const daemon = await FakeDaemon.start(t, {
    vms: [aVm()],
    intercept: (path, response) => {
      const isSync = path.includes('sync');
      if (isSync) json(response, 504, { code: 'Timeout', message: 'zfs list is slow' });
      return isSync;
    },
  });
  t.match(await run(daemon.url, ['sync', uuids.web]), { status: 3, stderr: 'vminfo: zfs list is slow\n' });
});

void tap.test('wait ends at once when it holds, or as soon as it does', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  t.strictSame(await run(daemon.url, ['wait', uuids.web, 'quota=10', 'state=running']), {
    status: 0,
    stdout: '',
    stderr: '',
  });
  await daemon.listening(0);
  const later = run(daemon.url, ['wait', '-j', uuids.web, 'quota=20', '-t', '20']);
  await daemon.listening();
  daemon.change(uuids.web, { quota: 15 });
  daemon.change(uuids.web, { quota: 20 });
  const { status, stdout } = await later;
  t.equal(status, 0);
  t.match(JSON.parse(stdout), { quota: 20 });
});

void tap.test('wait sees a VM that is yet to come, and one that a restart brought', async (t) => {
  const daemon = await FakeDaemon.start(t);
  const waiting = run(daemon.url, ['wait', uuids.web, 'state=running']);
  await daemon.listening();
  daemon.set(aVm({ state: 'provisioning' }));
  await daemon.down();
  daemon.change(uuids.web, { state: 'running' });
  await daemon.up();
  t.equal((await waiting).status, 0);
});

void tap.test('wait gives up in time', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  t.match(await run(daemon.url, ['wait', uuids.web, 'state=stopped', '-t', '0.05']), {
    status: 1,
    stdout: '',
    stderr: /^vminfo: not within 0.05 s: /,
  });
  await daemon.quiet();
  t.match(await run(daemon.url, ['wait', uuids.web, 'foo=1']), {
    status: 2,
    stderr: /unknown property: foo/,
  });
  t.equal((await run(daemon.url, ['wait', uuids.web, 'state=running', '--timeout', '0'])).status, 0);
  t.match(await run(daemon.url, ['wait', uuids.web, '-t', 'soon']), {
    status: 2,
    stderr: /number of seconds/,
  });
});

void tap.test('wait has a limit, unless it is told otherwise', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const limits: number[] = [];
  t.capture(AbortSignal, 'timeout', (ms: number) => {
    limits.push(ms);
    return AbortSignal.abort();
  });
  const { status, stderr } = await run(daemon.url, ['wait', 'web', 'state=stopped']);
  t.match({ status, stderr }, { status: 1, stderr: /^vminfo: not within 600 s: / });
  t.strictSame(limits, [600_000]);
});

void tap.test(
  'wait for deletion, for several, for one of several, for those that a filter chooses',
  async (t) => {
    const db = aVm({ zonename: uuids.db, uuid: uuids.db, alias: 'db', state: 'stopped' });
    const daemon = await FakeDaemon.start(t, { vms: [aVm({ alias: 'web' }), db] });
    const ends = async (argv: string[], status: number, change?: () => void) => {
      const running = run(daemon.url, ['wait', '-t', '20', ...argv]);
      if (change) {
        await daemon.listening();
        change();
      }
      const result = await running;
      t.equal(result.status, status, argv.join(' '));
      await daemon.listening(0);
      return result;
    };
    await ends(['web', 'db', 'state=running', '--any'], 0);
    await ends(['web', 'db', 'state=running'], 0, () => {
      daemon.change(uuids.db, { state: 'running' });
    });
    await ends(['--filter', 'alias~b$', 'state=running'], 0);
    await ends(['--filter', 'alias~nothing', 'state=running'], 1);
    await ends(['--filter', 'state=running', 'quota>=30g'], 0, () => {
      daemon.change(uuids.web, { quota: 30 });
      daemon.change(uuids.db, { quota: 31 });
    });
    const gone = await ends(['db', 'state=stopped'], 4, () => {
      daemon.delete(uuids.db);
    });
    t.equal(gone.stderr, 'vminfo: db: destroyed while waited for\n');
    daemon.set(db);
    await ends(['db', '--deleted'], 0, () => {
      daemon.delete(uuids.db);
    });
    await ends(['web', 'state=deleted'], 0, () => {
      daemon.delete(uuids.web);
    });
  },
);

void tap.test('sync of many VMs: no warning of Node', async (t) => {
  const vms = Array.from({ length: 25 }, (_, index) => {
    const uuid = `c4103a37-0000-0000-0000-${String(index).padStart(12, '0')}`;
    return aVm({ zonename: uuid, uuid });
  });
  const daemon = await FakeDaemon.start(t, { vms });
  const warnings: string[] = [];
  const onWarning = ({ name }: Error) => warnings.push(name);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  t.match(await run(daemon.url, ['sync', '-j']), { status: 0, stdout: '{"synced":25}\n' });
  await new Promise(setImmediate); // Node tells of warnings in a later turn.
  t.strictSame(warnings, []);
});
