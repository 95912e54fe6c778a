import tap from 'tap';
import { VminfodClient, type RequestOptions } from '../../lib/client/client.js';
import { NotReadyError, TimeoutError } from '../../lib/client/errors.js';
import { aVm, uuids } from './a-vm.js';
import { FakeDaemon, json } from './fake-daemon.js';

const requests: Readonly<
  Record<string, (client: VminfodClient, options: RequestOptions) => Promise<unknown>>
> = {
  ping: (client, options) => client.ping(options),
  status: (client, options) => client.status(options),
  vms: (client, options) => client.vms({}, options),
  vm: (client, options) => client.vm(uuids.web, options),
  'vm, sync': (client, options) => client.vm(uuids.web, { sync: true, ...options }),
  fieldsOf: (client, options) => client.fieldsOf(uuids.web, ['nics'], options),
  ready: (client, options) => client.ready(options),
};

for (const [name, request] of Object.entries(requests)) {
  void tap.test(`${name}: a daemon that does not answer, a limit, a signal`, async (t) => {
    const daemon = await FakeDaemon.start(t, { intercept: () => true });
    const client = new VminfodClient({ url: daemon.url, name: 'tester' });
    const error = { name: 'TimeoutError', code: 'ETIMEOUT', message: /http:\S+ .*0\.05 s$/ };
    await t.rejects(request(client, { timeoutMs: 50 }), error);
    const reason = new Error('no longer wanted');
    await t.rejects(request(client, { signal: AbortSignal.abort(reason) }), reason);
    const abort = new AbortController();
    const aborted = request(client, { signal: abort.signal });
    abort.abort(reason);
    await t.rejects(aborted, reason);
    await client.close();
    await daemon.quiet();
  });
}

void tap.test('the limit of the client is that of all its requests, unless one has its own', async (t) => {
  const daemon = await FakeDaemon.start(t, { intercept: () => true });
  await using client = new VminfodClient({ url: daemon.url, name: 'tester', timeoutMs: 30 });
  await t.rejects(client.ping(), TimeoutError);
  await t.rejects(client.vm(uuids.web, { timeoutMs: 20 }), /0\.02 s/);
});

void tap.test(
  'ready: waits for a daemon that is yet to come and to load, and does not storm it',
  async (t) => {
    let isLoading = true;
    const daemon = await FakeDaemon.start(t, {
      vms: [aVm()],
      intercept: (path, response) => {
        if (path === '/ping' && isLoading) json(response, 503, { code: 'NotReady', message: 'it loads' });
        return path === '/ping' && isLoading;
      },
    });
    await daemon.down();
    await using client = new VminfodClient({ url: daemon.url, name: 'tester' });
    await t.rejects(client.ready({ timeoutMs: 300 }), {
      code: 'ETIMEOUT',
      message: /not ready after 0\.3 s/,
    });
    const ready = client.ready();
    await daemon.up();
    await t.rejects(client.ready({ timeoutMs: 500 }), TimeoutError);
    await t.rejects(client.ping(), NotReadyError);
    const asked = daemon.requests.length;
    t.ok(asked < 60, `${asked} requests`);
    isLoading = false;
    await ready;
  },
);

void tap.test('patienceMs: how long there may be no daemon at first', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  await daemon.down();
  await using client = new VminfodClient({ url: daemon.url, name: 'tester' });
  const first = (patienceMs: number) => client.events({ patienceMs })[Symbol.asyncIterator]().next();
  await t.rejects(first(100), { name: 'UnreachableError' });
  const told: string[] = [];
  const stream = client.events({ patienceMs: Infinity, onDisconnect: ({ name }) => told.push(name) });
  const events = stream[Symbol.asyncIterator]();
  const ready = events.next();
  // As long as several attempts take.
  await t.rejects(client.ready({ timeoutMs: 1_000 }), TimeoutError);
  await daemon.up();
  t.match(await ready, { value: { type: 'ready' } });
  t.strictSame(told, ['UnreachableError'], 'it is told once, not at each attempt');
  await events.return?.();
});
