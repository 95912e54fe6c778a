import { statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import tap from 'tap';
import { allowHosts, isLoopback } from '../../lib/http/hosts.js';
import { ListenError, listenOnPort, listenOnSocket } from '../../lib/http/server.js';
import type { Handler } from '../../lib/http/routes.js';
import { get, serve } from './serve.js';

const answer: Handler = (_request, response) => response.end('here');

void tap.test('hosts: the address, the loopback and the given names, and no other', (t) => {
  const local = allowHosts('127.0.0.1', ['hypervisor.example']);
  for (const [host, allowed] of [
    ['localhost', true],
    ['LocalHost:9090', true],
    ['127.0.0.1:9090', true],
    ['[::1]:9090', true],
    ['hypervisor.example.:1', true],
    ['evil.example', false],
    ['localhost.evil.example', false],
    ['10.0.0.5', false],
    ['', false],
    [undefined, false],
  ] as const)
    t.equal(local(host, '127.0.0.1'), allowed, String(host));
  const everywhere = allowHosts('0.0.0.0', []);
  t.equal(everywhere('10.0.0.5:9090', '10.0.0.5'), true);
  t.equal(everywhere('10.0.0.5:9090', '::ffff:10.0.0.5'), true);
  t.equal(everywhere('evil.example', '10.0.0.5'), false);
  for (const address of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) t.ok(isLoopback(address), address);
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example'])
    t.notOk(isLoopback(address), address);
  t.end();
});

void tap.test('a request by another name is refused', async (t) => {
  const { url } = await serve(t);
  t.equal((await get(`${url}/ping`, { Host: 'allowed.example' })).status, 200);
  const refused = await get(`${url}/vms`, { Host: 'evil.example' });
  t.match(refused, { status: 403, json: { code: 'Forbidden', message: /"evil\.example"/ } });
});

void tap.test("/status has the platform's types where its clients may look", async (t) => {
  const { url } = await serve(t);
  const { json } = await get(`${url}/status`);
  const { curTime, queue } = json as {
    curTime: unknown;
    queue: { now: unknown; vasync_queue: { pending: unknown; queued: unknown } };
  };
  t.strictSame(
    [curTime, queue.now, queue.vasync_queue.pending, queue.vasync_queue.queued],
    ['12.345678901', '12.345678901', {}, []],
  );
});

void tap.test('a port that is taken is said to be', async (t) => {
  const { url } = await serve(t);
  const port = Number(new URL(url).port);
  await t.rejects(listenOnPort({ listen: '127.0.0.1', port, allowedHosts: [] }, answer), {
    name: 'ListenError',
    message: /something listens there already.*--port/,
  });
});

void tap.test('a Unix socket', async (t) => {
  const dir = t.testdir();
  const path = join(dir, 'vminfod.sock');
  const server = await listenOnSocket(path, answer);
  t.equal(statSync(path).mode & 0o777, 0o600, 'open to its owner only');
  t.equal(await getFromSocket(path, 'any.name'), 'here');
  await t.rejects(listenOnSocket(path, answer), { name: 'ListenError', message: /another vminfod/ });
  await server.close(100);
  t.throws(() => statSync(path), { code: 'ENOENT' });

  // One that is killed leaves its socket behind.
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'exit');
  t.ok(statSync(path).isSocket());
  const second = await listenOnSocket(path, answer);
  t.equal(await getFromSocket(path, 'x'), 'here');
  await second.close(100);

  const file = join(dir, 'file');
  writeFileSync(file, 'precious');
  await t.rejects(listenOnSocket(file, answer), { name: 'ListenError', message: /not a socket/ });
  await t.rejects(listenOnSocket(join(dir, 'no/such/dir'), answer), ListenError);
});

void tap.test(
  'a request that does not end is ended: half a header, half a body, nothing at all',
  async (t) => {
    const { url } = await serve(t);
    const port = Number(new URL(url).port);
    const starts = [
      '',
      'GET /ping HTTP/1.1\r\nHost: local',
      'POST /vms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx',
    ];
    const answers = await Promise.all(starts.map((start) => slowly(port, start)));
    t.match(answers, [/^HTTP\/1\.1 408 /, /^HTTP\/1\.1 408 /, /^HTTP\/1\.1 405 /]);
  },
);

void tap.test('one Host header, and no body: else it is said, and the connection is closed', async (t) => {
  const { url } = await serve(t);
  const port = Number(new URL(url).port);
  const host = 'Host: localhost\r\n';
  const rest = 'GET /ping HTTP/1.1\r\nHost: localhost\r\n\r\n';
  for (const [request, status, says] of [
    [`GET /ping HTTP/1.1\r\n${host}${host}\r\n${rest}`, 400, 'there is more than one Host header'],
    [`GET /ping HTTP/1.1\r\n${host}host: evil.example\r\n\r\n${rest}`, 400, 'more than one Host header'],
    [`POST /vms HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\nx`, 405, 'only GET and HEAD are allowed'],
    [`GET /ping HTTP/1.1\r\n${host}Content-Length: 1000\r\n\r\nx`, 200, 'pong'],
    [`GET /ping HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\n`, 200, 'pong'],
  ] as const) {
    // It resolves when the server has closed the connection.
    const text = await slowly(port, request);
    t.match(text, new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\nConnection: close\r\n[^]*${says}`), request);
    t.equal(text.match(/HTTP\/1\.1/g)?.length, 1, 'one answer');
  }
});

void tap.test('a huge URL and huge headers are refused', async (t) => {
  const { url } = await serve(t);
  t.equal((await get(`${url}/${'a'.repeat(20_000)}`)).status, 431);
  t.equal((await get(`${url}/ping`, { Cookie: 'c'.repeat(20_000) })).status, 431);
});

void tap.test(
  'an answer that is never read is cut off at its deadline, with what waits behind it',
  async (t) => {
    const closed: Promise<unknown>[] = [];
    const server = await listenOnPort(
      { listen: '127.0.0.1', port: 0, allowedHosts: [], writeDeadlineMs: 100 },
      ({ socket }, response) => {
        closed.push(once(socket, 'close'));
        response.end(Buffer.alloc(50_000_000));
      },
    );
    t.teardown(() => server.close(0));
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1').pause();
    t.teardown(() => socket.destroy());
    socket.on('error', () => undefined);
    for (let i = 0; i < 2; i++) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    while (closed.length < 2) await new Promise(setImmediate);
    await Promise.all(closed);
    t.pass('the connection is gone');
  },
);

void tap.test('half-open connections and ones that are reset leave nothing behind', async (t) => {
  const { url, listeners } = await serve(t);
  const port = Number(new URL(url).port);
  const sockets: Socket[] = [];
  for (let i = 0; i < 20; i++) {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    sockets.push(socket);
    await once(socket, 'data');
  }
  t.equal(listeners.list().length, 20);
  for (const [index, socket] of sockets.entries()) {
    if (index % 2 === 0) socket.end();
    else socket.resetAndDestroy();
  }
  while (listeners.list().length > 0) await new Promise(setImmediate);
  for (const socket of sockets) socket.destroy();
  t.pass('all listeners are gone');
});

/** Sends a beginning and nothing more; resolves with what comes back when the server ends it. */
function slowly(port: number, start: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    if (start !== '') socket.write(start);
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(text);
    });
  });
}

function getFromSocket(socketPath: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    httpRequest({ socketPath, headers: { host }, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => {
        resolve(text);
      });
    })
      .on('error', reject)
      .end();
  });
}
