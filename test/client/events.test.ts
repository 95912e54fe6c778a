import { from, take, toArray, firstValueFrom } from 'rxjs';
import tap, { type Test } from 'tap';
import { VminfodClient, type EventsOptions } from '../../lib/client/client.js';
import type { StreamEvent } from '../../lib/client/events.js';
import { aVm, uuids } from './a-vm.js';
import { FakeDaemon, json } from './fake-daemon.js';

/** An open stream that has had its `ready`. */
async function open(t: Test, daemon: FakeDaemon, options: EventsOptions = {}) {
  const client = new VminfodClient({ url: daemon.url, name: 'tester' });
  t.teardown(() => client.close());
  const events = client.events(options)[Symbol.asyncIterator]();
  const first = await events.next();
  const next = async () => (await events.next()).value as StreamEvent;
  return { client, events, ready: first.value as StreamEvent, next };
}

for (const old of [false, true]) {
  const kind = old ? 'an old daemon' : 'a daemon that resumes';
  void tap.test(`${kind}: begins with the snapshot, then what happens`, async (t) => {
    const daemon = await FakeDaemon.start(t, { vms: [aVm()], old });
    const { ready, next } = await open(t, daemon);
    t.match(ready, { type: 'ready', vms: [aVm()] });
    daemon.set(aVm({ zonename: uuids.db }));
    daemon.change(uuids.web, { quota: 20 });
    daemon.delete(uuids.db);
    t.match(await next(), { type: 'create', zonename: uuids.db, vm: { zonename: uuids.db } });
    t.match(await next(), {
      type: 'modify',
      zonename: uuids.web,
      vm: { quota: 20 },
      changes: [{ path: ['quota'], oldValue: 10, newValue: 20 }],
    });
    t.match(await next(), { type: 'delete', zonename: uuids.db });
  });

  void tap.test(`${kind}: a lost connection costs no event and repeats none`, async (t) => {
    const daemon = await FakeDaemon.start(t, { vms: [aVm(), aVm({ zonename: uuids.db })], old });
    const { next } = await open(t, daemon);
    daemon.change(uuids.web, { quota: 20 });
    t.match(await next(), { type: 'modify', vm: { quota: 20 } });
    daemon.dropConnections();
    daemon.change(uuids.web, { quota: 30 });
    daemon.delete(uuids.db);
    daemon.set(aVm({ zonename: uuids.cache }));
    const missed = [await next(), await next(), await next()];
    t.match(
      new Set(missed.map((event) => event.type)),
      new Set(['modify', 'delete', 'create']),
      'in the order they happened, or in any where only the outcome is known',
    );
    t.match(
      missed.find(({ type }) => type === 'modify'),
      { changes: [{ oldValue: 20, newValue: 30 }] },
    );
    await daemon.listening();
    daemon.change(uuids.web, { quota: 40 });
    t.match(await next(), { changes: [{ oldValue: 30, newValue: 40 }] });
  });

  void tap.test(`${kind}: a restart is the differences between two snapshots`, async (t) => {
    const daemon = await FakeDaemon.start(t, { vms: [aVm(), aVm({ zonename: uuids.db })], old });
    const { next } = await open(t, daemon);
    await daemon.down();
    daemon.change(uuids.web, { state: 'stopped' });
    daemon.delete(uuids.db);
    daemon.set(aVm({ zonename: uuids.cache }));
    await daemon.up();
    const missed = [await next(), await next(), await next()];
    t.match(
      missed.find(({ type }) => type === 'modify'),
      {
        zonename: uuids.web,
        vm: { state: 'stopped' },
        changes: [{ path: ['state'], oldValue: 'running', newValue: 'stopped' }],
      },
    );
    t.match(
      missed.find(({ type }) => type === 'create'),
      { zonename: uuids.cache, vm: { alias: 'web' } },
    );
    t.match(
      missed.find(({ type }) => type === 'delete'),
      { zonename: uuids.db, uuid: uuids.db },
    );
  });

  void tap.test(`${kind}: a stream of one zone is told of no other`, async (t) => {
    const daemon = await FakeDaemon.start(t, { vms: [aVm(), aVm({ zonename: uuids.db })], old });
    const { ready, next } = await open(t, daemon, { zonename: uuids.db });
    t.match(ready, { vms: [{ zonename: uuids.db }] });
    daemon.change(uuids.web, { quota: 20 });
    daemon.change(uuids.db, { quota: 30 });
    t.match(await next(), { zonename: uuids.db });
  });
}

void tap.test('resumes after an overflow where the daemon says', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const { next } = await open(t, daemon);
  daemon.change(uuids.web, { quota: 20 });
  await next();
  daemon.overflow();
  daemon.change(uuids.web, { quota: 30 });
  t.match(await next(), { changes: [{ oldValue: 20, newValue: 30 }] });
  t.match(daemon.requests.at(-1)?.path, /since=[0-9a-f-]+%3A1$/);
});

void tap.test('a heartbeat moves the place to resume from, and is not an event', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const { next } = await open(t, daemon);
  daemon.raw('{"type":"heartbeat","seq":7}\n{"type":"something of the future"}\n');
  daemon.change(uuids.web, { quota: 20 });
  t.match(await next(), { type: 'modify' });
  daemon.raw('{"type":"heartbeat","seq":9}\n');
  daemon.overflow();
  const pending = next();
  await daemon.listening(0);
  await daemon.listening(1);
  t.match(daemon.requests.at(-1)?.path, /%3A9$/);
  daemon.change(uuids.web, { quota: 30 });
  await pending;
});

void tap.test('a zone that has not loaded since a restart is not taken for deleted', async (t) => {
  let loads = false;
  const daemon = await FakeDaemon.start(t, {
    vms: [aVm(), aVm({ zonename: uuids.db })],
    intercept: (path, response) => {
      const fails = path === `/vms/${uuids.db}` && !loads;
      if (fails) json(response, 503, { code: 'LoadError', message: 'bad XML' });
      return fails;
    },
  });
  const { next } = await open(t, daemon);
  await daemon.down();
  daemon.vms.delete(uuids.db);
  daemon.change(uuids.web, { quota: 20 });
  await daemon.up();
  t.match(await next(), { type: 'modify', zonename: uuids.web });
  loads = true;
  const pending = next();
  await daemon.listening();
  daemon.set(aVm({ zonename: uuids.db, quota: 30 }));
  t.match(await pending, { type: 'modify', zonename: uuids.db, changes: [{ path: ['quota'] }] });
});

void tap.test('a zone that never loaded again and then is gone, is deleted', async (t) => {
  let exists = true;
  const daemon = await FakeDaemon.start(t, {
    vms: [aVm(), aVm({ zonename: uuids.db })],
    intercept: (path, response) => {
      const fails = path === `/vms/${uuids.db}` && exists;
      if (fails) json(response, 503, { code: 'LoadError', message: 'bad XML' });
      return fails;
    },
  });
  const { next } = await open(t, daemon);
  await daemon.down();
  daemon.vms.delete(uuids.db);
  daemon.change(uuids.web, { quota: 20 });
  await daemon.up();
  t.match(await next(), { type: 'modify', zonename: uuids.web });
  exists = false;
  const pending = next();
  await daemon.listening();
  daemon.raw('{"type":"heartbeat","seq":0}\n');
  t.match(await pending, { type: 'delete', zonename: uuids.db });
});

void tap.test('without reconnect it throws when the daemon goes away', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  for (const goAway of ['dropConnections', 'overflow'] as const) {
    const { next } = await open(t, daemon, { reconnect: false });
    const pending = next();
    daemon[goAway]();
    await t.rejects(pending, { code: 'StreamEnded', message: 'VminfodEventStream ended prematurely' });
    await daemon.listening(0);
  }
});

void tap.test('a daemon that is still booting is waited for', async (t) => {
  let refusals = 3;
  const daemon = await FakeDaemon.start(t, {
    vms: [aVm()],
    intercept: (_path, response) => {
      if (refusals-- <= 0) return false;
      json(response, 503, { code: 'NotReady', message: 'still loading' });
      return true;
    },
  });
  const lost: string[] = [];
  const { ready } = await open(t, daemon, { onDisconnect: (error) => lost.push(error.message) });
  t.equal(ready.type, 'ready');
  t.strictSame(lost, ['still loading'], 'it is told once');
});

void tap.test('what the daemon refuses for good is thrown', async (t) => {
  const daemon = await FakeDaemon.start(t, {
    intercept: (_path, response) => {
      json(response, 400, { code: 'BadRequest', message: 'unknown parameter: foo' });
      return true;
    },
  });
  await t.rejects(open(t, daemon, { query: { foo: 'x' } }), { message: 'unknown parameter: foo' });
});

void tap.test('filters are refused where the daemon would ignore them', async (t) => {
  const daemon = await FakeDaemon.start(t, { old: true });
  await t.rejects(open(t, daemon, { query: { alias: 'db' } }), { message: /cannot filter events/ });
});

void tap.test('garbage on the stream is an error, not a crash or a loop', async (t) => {
  for (const garbage of ['not json\n', '42\n', '{"type":"ready","vms":"[}"}\n']) {
    const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
    const { next } = await open(t, daemon);
    daemon.raw(garbage);
    await t.rejects(next(), { code: 'BadAnswer' }, garbage);
  }
});

void tap.test('what came together with an event during which it was aborted is not told', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const stop = new AbortController();
  const { events, next } = await open(t, daemon, { signal: stop.signal });
  const modify = (quota: number) =>
    `${JSON.stringify({ type: 'modify', zonename: uuids.web, uuid: uuids.web, seq: quota, vm: aVm({ quota }), changes: [] })}\n`;
  daemon.raw(modify(11) + modify(12) + modify(13));
  t.match(await next(), { vm: { quota: 11 } });
  const asked = events.next(); // It has arrived by then, too.
  stop.abort(new Error('enough'));
  await t.rejects(asked, { message: 'enough' });
  await t.rejects(events.next(), { message: 'enough' });
  await daemon.quiet();
});

const waysToLeave: Record<string, (client: VminfodClient) => Promise<unknown>> = {
  break: async (client) => {
    for await (const event of client.events()) if (event.type === 'ready') break;
  },
  'an exception in the loop': async (client) => {
    const loop = async () => {
      for await (const event of client.events()) throw new Error(event.type);
    };
    await loop().catch(() => undefined);
  },
  'return() while next() waits': async (client) => {
    const events = client.events()[Symbol.asyncIterator]();
    await events.next();
    const pending = events.next();
    await events.return?.();
    return pending;
  },
  abort: async (client) => {
    const abort = new AbortController();
    const events = client.events({ signal: abort.signal })[Symbol.asyncIterator]();
    await events.next();
    const pending = events.next();
    abort.abort();
    await pending.catch(() => undefined);
  },
  'unsubscribing in RxJS while nothing happens': (client) => {
    return new Promise<void>((resolve) => {
      const subscription = from(client.events()).subscribe(() => {
        resolve();
        queueMicrotask(() => {
          subscription.unsubscribe();
        });
      });
    });
  },
  'take(1) in RxJS': (client) => firstValueFrom(from(client.events()).pipe(take(1))),
};
for (const [way, leave] of Object.entries(waysToLeave)) {
  void tap.test(`leaves no connection behind: ${way}`, async (t) => {
    const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
    const client = new VminfodClient({ url: daemon.url, name: 'tester' });
    t.teardown(() => client.close());
    await leave(client);
    await daemon.quiet();
    t.equal(daemon.listeners, 0);
  });
}

void tap.test('RxJS from() sees the events, and the errors', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const client = new VminfodClient({ url: daemon.url, name: 'tester' });
  t.teardown(() => client.close());
  const events = firstValueFrom(from(client.events({ reconnect: false })).pipe(take(2), toArray()));
  await daemon.listening();
  daemon.change(uuids.web, { quota: 20 });
  t.match(await events, [{ type: 'ready' }, { type: 'modify' }]);
  await daemon.listening(0);
  const failing = firstValueFrom(from(client.events({ reconnect: false })).pipe(take(2), toArray()));
  await daemon.listening();
  daemon.dropConnections();
  await t.rejects(failing, { code: 'StreamEnded' });
});
