import tap, { type Test } from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import { TimeoutError } from '../../lib/client/errors.js';
import { aVm, uuids } from './a-vm.js';
import { FakeDaemon } from './fake-daemon.js';

async function start(t: Test, old = false) {
  const daemon = await FakeDaemon.start(t, { vms: [aVm(), aVm({ zonename: uuids.db })], old });
  const client = new VminfodClient({ url: daemon.url, name: 'tester' });
  t.teardown(() => client.close());
  return { daemon, client };
}

void tap.test('a change made in `change` is seen, however fast', async (t) => {
  const { daemon, client } = await start(t);
  const event = await client.waitForChanges(
    { zonename: uuids.web },
    { path: ['quota'], oldValue: 10, newValue: 20 },
    {
      change: () => {
        daemon.change(uuids.web, { quota: 20 });
      },
    },
  );
  t.match(event, { type: 'modify', vm: { quota: 20 } });
  await daemon.listening(0);
});

void tap.test('several changes may come in several events, those of other VMs do not count', async (t) => {
  const { daemon, client } = await start(t);
  const event = await client.waitForChanges(
    { zonename: uuids.web },
    [{ path: ['quota'] }, [{ path: ['alias'] }, { path: ['state'] }]],
    {
      change: () => {
        daemon.change(uuids.db, { quota: 11, state: 'stopped' });
        daemon.change(uuids.web, { state: 'stopped' });
        daemon.change(uuids.web, { last_modified: '2026-11-23T10:00:01.000Z' });
        daemon.change(uuids.web, { quota: 12 });
      },
    },
  );
  t.match(event, { vm: { quota: 12 } });
});

void tap.test('waits for an event by its type and its VM', async (t) => {
  const { daemon, client } = await start(t);
  const change = () => {
    daemon.set(aVm({ zonename: uuids.cache, state: 'provisioning' }));
    daemon.change(uuids.cache, { state: 'running' });
    daemon.delete(uuids.cache);
  };
  const running = await client.waitForEvent({ zonename: uuids.cache, vm: { state: 'running' } }, { change });
  t.equal(running.type, 'modify');
  t.equal((await client.waitForEvent({ type: 'delete', zonename: uuids.cache }, { change })).type, 'delete');
});

void tap.test('a timeout says who waited in what, with code ETIMEOUT', async (t) => {
  const { daemon, client } = await start(t);
  for (const wait of [
    () => client.waitForChanges({ zonename: uuids.web }, { path: ['quota'] }, { timeoutMs: 20 }),
    () => client.waitForEvent({ zonename: uuids.web }, { timeoutMs: 20 }),
  ]) {
    const error = await wait().catch((thrown: unknown) => thrown);
    t.ok(error instanceof TimeoutError);
    t.match(error, { code: 'ETIMEOUT', message: /^waitFor(Changes|Event): tester: timeout exceeded/ });
    await daemon.listening(0);
  }
});

void tap.test('the timeout covers a daemon that is away and a change that hangs', async (t) => {
  const { daemon, client } = await start(t);
  const given: AbortSignal[] = [];
  const change = (signal: AbortSignal) => {
    given.push(signal);
    return new Promise(() => undefined);
  };
  // Long enough for the stream to be live on a busy machine: only then does the change run.
  await t.rejects(client.waitForEvent({}, { timeoutMs: 2_000, change }), { code: 'ETIMEOUT' });
  t.equal(given[0]?.aborted, true, 'the change is told');
  await daemon.listening(0);
  await daemon.down();
  await t.rejects(client.waitForEvent({}, { timeoutMs: 50 }), { code: 'ETIMEOUT' });
});

void tap.test('a change that fails fails the wait, and leaves no connection', async (t) => {
  const { daemon, client } = await start(t);
  const failure = new Error('zfs: out of space');
  const change = () => Promise.reject(failure);
  await t.rejects(client.waitForEvent({ zonename: uuids.web }, { change }), failure);
  await daemon.quiet();
});

void tap.test('an aborted wait throws the reason of its signal', async (t) => {
  const { daemon, client } = await start(t);
  const abort = new AbortController();
  const reason = new Error('enough');
  const waiting = client.waitForEvent({ zonename: uuids.web }, { signal: abort.signal, timeoutMs: 10_000 });
  await daemon.listening();
  abort.abort(reason);
  await t.rejects(waiting, reason);
  await daemon.quiet();
});

for (const old of [false, true]) {
  const kind = old ? 'an old daemon' : 'a daemon that resumes';
  void tap.test(`${kind}: a change during its restart is neither missed nor made up`, async (t) => {
    const { daemon, client } = await start(t, old);
    for (let round = 0; round < 16; round++) {
      const quota = 100 + round;
      const write = () => {
        daemon.change(uuids.web, { quota });
      };
      const down = () => daemon.down();
      const up = () => daemon.up();
      const orders: (() => unknown)[][] = [[write], [write, down, up], [down, write, up], [down, up, write]];
      const change = async () => {
        for (const step of orders[round % orders.length] ?? []) await step();
      };
      const wanted = { path: ['quota'], newValue: quota };
      const options = { timeoutMs: 20_000, change };
      t.match(await client.waitForChanges({ zonename: uuids.web }, wanted, options), { vm: { quota } });
      t.equal(daemon.vms.get(uuids.web)?.quota, quota);
    }
  });
}

void tap.test('a restart is not taken for the change', async (t) => {
  const { daemon, client } = await start(t);
  const events: string[] = [];
  const waiting = client.waitForEvent({ zonename: uuids.web }).then(({ type }) => events.push(type));
  await daemon.listening();
  await daemon.down();
  await daemon.up();
  await daemon.listening();
  t.strictSame(events, []);
  daemon.change(uuids.web, { quota: 20 });
  await waiting;
  t.strictSame(events, ['modify']);
});
