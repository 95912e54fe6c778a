import { EventEmitter, once } from 'node:events';
import { Agent } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import tap from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import {
  BadAnswerError,
  BadRequestError,
  NotFoundError,
  NotReadyError,
  TimeoutError,
  UnreachableError,
} from '../../lib/client/errors.js';
import { aVm, uuids } from './a-vm.js';
import { FakeDaemon, json } from './fake-daemon.js';

void tap.test('asks for what the daemon has', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm(), aVm({ zonename: uuids.db })] });
  const client = new VminfodClient({ url: daemon.url, name: 'tester' });
  await client.ping();
  t.equal((await client.status()).numVms, 2);
  t.strictSame(await client.vms(), [aVm(), aVm({ zonename: uuids.db })]);
  t.strictSame(await client.vm(uuids.db), aVm({ zonename: uuids.db }));
  await client.vm(uuids.db, { sync: true });
  t.equal(daemon.requests.at(-1)?.path, `/vms/${uuids.db}?sync=true`);
  await client.vms({ 'nics.*.ip': '~^10 ' });
  t.equal(daemon.requests.at(-1)?.path, '/vms?nics.*.ip=%7E%5E10+');
  t.match(daemon.requests[0]?.userAgent, /^tester - \S+\/\d+ \(.*client\.test\.js\)$/);
  await client.close();
  await daemon.quiet();
});

void tap.test('asks over a Unix socket', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()], socketPath: join(t.testdir(), 'sock') });
  const client = new VminfodClient({ url: daemon.url, name: 'tester' });
  t.strictSame(await client.vm(uuids.web), aVm());
  await client.close();
  await daemon.quiet();
});

void tap.test('uses an agent that it is given, and leaves it to its owner', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => {
    agent.destroy();
  });
  for (const name of ['one', 'two']) {
    await using client = new VminfodClient({ url: daemon.url, name, agent });
    await client.ping();
    for await (const event of client.events()) if (event.type === 'ready') break;
  }
  t.match(daemon.requests.at(-1)?.userAgent, /^two - /);
});

void tap.test('asks again when an idle connection was closed just as it was used', async (t) => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    let requests = 0;
    socket.on('data', () => {
      if (++requests > 1) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  await using client = new VminfodClient({ url: `http://127.0.0.1:${port}`, name: 'tester' });
  for (let round = 0; round < 3; round++) await client.ping();
  t.equal(connections, 3);
});

const refusals = [
  { status: 404, body: { code: 'NotFound', message: 'no VM' }, error: NotFoundError, code: 'NotFound' },
  { status: 503, body: { code: 'NotReady', message: 'booting' }, error: NotReadyError, code: 'NotReady' },
  { status: 503, body: { code: 'LoadError', message: 'bad XML' }, error: NotReadyError, code: 'LoadError' },
  { status: 504, body: { code: 'Timeout', message: 'slow zfs' }, error: TimeoutError, code: 'ETIMEOUT' },
  { status: 400, body: { code: 'BadRequest', message: 'foo?' }, error: BadRequestError, code: 'BadRequest' },
  { status: 403, body: { code: 'Forbidden', message: 'Host' }, error: BadRequestError, code: 'Forbidden' },
  { status: 500, body: { message: 'oops' }, error: BadAnswerError, code: 'BadAnswer' },
];
for (const { status, body, error, code } of refusals) {
  void tap.test(`${status} ${code} is a ${error.name}`, async (t) => {
    const daemon = await FakeDaemon.start(t, {
      intercept: (_path, response) => {
        json(response, status, body);
        return true;
      },
    });
    await using client = new VminfodClient({ url: daemon.url, name: 'tester' });
    const thrown = await client.vm(uuids.web).catch((caught: unknown) => caught);
    t.ok(thrown instanceof error);
    t.match(thrown, { code, message: body.message });
  });
}

void tap.test('a daemon that is not there is unreachable, and the message says where', async (t) => {
  const daemon = await FakeDaemon.start(t);
  await daemon.down();
  await using client = new VminfodClient({ url: daemon.url, name: 'tester' });
  const error = await client.ping().catch((caught: unknown) => caught);
  t.ok(error instanceof UnreachableError);
  t.match(error, {
    code: 'Unreachable',
    message: `cannot reach vminfod at ${daemon.url}: connect ECONNREFUSED`,
  });
  t.match((error as Error).cause, { code: 'ECONNREFUSED' });

  await using noSocket = new VminfodClient({ url: `unix:${t.testdir()}/none`, name: 'tester' });
  await t.rejects(noSocket.ping(), { code: 'Unreachable', message: /ENOENT/ });
});

void tap.test('an answer that is not JSON is a bad answer', async (t) => {
  const daemon = await FakeDaemon.start(t, {
    intercept: (_path, response) => Boolean(response.end('<html>')),
  });
  await using client = new VminfodClient({ url: daemon.url, name: 'tester' });
  await t.rejects(client.status(), BadAnswerError);
});

void tap.test('survives a daemon that restarted between two requests', async (t) => {
  const daemon = await FakeDaemon.start(t);
  await using client = new VminfodClient({ url: daemon.url, name: 'tester' });
  for (let round = 0; round < 20; round++) {
    await client.ping();
    await daemon.down();
    await daemon.up();
  }
});

void tap.test('aborts with the reason of the signal, and closes the connection', async (t) => {
  const asked = new EventEmitter();
  const daemon = await FakeDaemon.start(t, {
    intercept: () => {
      asked.emit('request');
      return true; // and never answers
    },
  });
  const reason = new Error('enough');
  const abort = new AbortController();
  await using client = new VminfodClient({ url: daemon.url, name: 'tester' });
  const asking = once(asked, 'request');
  const answer = client.ping({ signal: abort.signal });
  await asking;
  abort.abort(reason);
  await t.rejects(answer, reason);
  await daemon.quiet();
});

void tap.test('the signal of the client ends everything it does', async (t) => {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const abort = new AbortController();
  const client = new VminfodClient({ url: daemon.url, name: 'tester', signal: abort.signal });
  await client.ping();
  const events = client.events()[Symbol.asyncIterator]();
  await events.next();
  const pending = events.next();
  abort.abort();
  await t.rejects(pending, { name: 'AbortError' });
  await t.rejects(client.ping(), { name: 'AbortError' });
  await daemon.quiet();
});

void tap.test('a url of another form is refused', (t) => {
  for (const url of ['localhost', 'ftp://host', 'http://host/path', 'unix:relative']) {
    t.throws(() => new VminfodClient({ url, name: 'tester' }), TypeError, url);
  }
  t.end();
});

void tap.test('is what the package exports', async (t) => {
  const name = 'vminfod';
  t.equal(((await import(name)) as { VminfodClient: unknown }).VminfodClient, VminfodClient);
});
