import { connect, type Socket } from 'node:net';
import tap from 'tap';
import { aSmallVm, get, instance, serve } from './serve.js';

const requests = 50_000;
const perConnection = 50;
const connectionsAtOnce = 16;
const seed = Number(process.env['FUZZ_SEED'] ?? 1);

/** What the daemon may say, and node's parser before it. */
const proper = new Set([200, 304, 400, 403, 404, 405, 408, 413, 414, 417, 431, 503]);

void tap.test(`${requests} random and hostile requests, seed ${seed}`, { timeout: 120_000 }, async (t) => {
  const { url, store, listeners } = await serve(t, {
    vms: Array.from({ length: 5 }, (_, n) => aSmallVm(n)),
    limits: { maxListeners: 8 },
  });
  const port = Number(new URL(url).port);
  const random = generator(seed);
  const statuses = new Map<number, number>();
  let sent = 0;
  let unanswered = 0;

  const worker = async () => {
    while (sent < requests) {
      const batch = Array.from({ length: perConnection - 1 }, () => aRequest(random));
      const last = pick(random, ['close', 'events'] as const);
      sent += perConnection;
      // What is not HTTP ends a connection, and overtakes answers that are being made: it gets one of its own.
      const hostile = await exchange(port, [endings.hostile(random)], 'hostile');
      const polite = await exchange(port, [...batch, endings[last](random)], last);
      const found = [...hostile, ...polite];
      unanswered += (hostile.length > 0 ? 0 : 1) + perConnection - polite.length;
      for (const status of found) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      store.put(aSmallVm(1, { quota: sent }));
    }
  };
  await Promise.all(Array.from({ length: connectionsAtOnce }, worker));

  t.same(
    [...statuses.keys()].filter((status) => !proper.has(status)),
    [],
    'every answer is a proper status',
  );
  t.equal(unanswered, 0, 'every request is answered');
  t.comment([...statuses].map(([status, count]) => `${status}: ${count}`).join(', '));

  while (listeners.list().length > 0) await new Promise(setImmediate);
  t.equal((await get(`${url}/ping`)).status, 200, 'it lives');
  const isOpen = () => process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length;
  while (isOpen() > 0) await new Promise(setImmediate);
  t.pass('no socket is left');
});

/** Sends requests in one go and collects the statuses of the answers until the server closes, or all are there. */
function exchange(port: number, batch: readonly string[], last: Ending): Promise<number[]> {
  return new Promise((resolve) => {
    const statuses: number[] = [];
    let text = '';
    const socket: Socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      // Half a request would wait for the other half: its end makes it an error.
      if (last === 'hostile') socket.end(batch.join(''), 'latin1');
      else socket.write(batch.join(''), 'latin1');
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      let end = 0;
      for (const line of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        // An interim answer is none.
        if (line[1] !== '100') statuses.push(Number(line[1]));
        end = line.index + line[0].length;
      }
      text = text.slice(end).slice(-20);
      if (statuses.length === batch.length) socket.destroy();
    });
    // A server that answers and closes while we still send resets the connection: the answers count.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(statuses);
    });
  });
}

type Ending = 'close' | 'hostile' | 'events';

const endings: Readonly<Record<Ending, (random: Random) => string>> = {
  // What has a body closes the connection, too.
  close: (random) =>
    pick(random, [
      'GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      `POST ${aPath(random)} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello`,
      'DELETE /vms HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    ]),
  events: (random) => `GET /events?${aQuery(random)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  hostile: (random) =>
    pick(random, [
      bytes(random, 1 + random(200)),
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      `GET /ping HTTP/1.1\r\nHost: localhost\r\n${'X: y\r\n'.repeat(5_000)}\r\n`,
      `GET /ping HTTP/1.1\r\nHost: localhost\r\nX: ${bytes(random, 50)}\r\n\r\n`,
      'GET /ping HTTP/1.1\r\n\r\n',
      'GET /ping HTTP/9.9\r\nHost: localhost\r\n\r\n',
      'GET /ping HTTP/1.1\r\nHost: localhost',
      'GET /ping HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
      'CONNECT evil:1 HTTP/1.1\r\nHost: localhost\r\n\r\n',
      'POST /vms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      'POST /vms HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n',
      'POST /vms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nhello',
    ]),
};

type Random = (below: number) => number;

function generator(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[random(items.length)] as T;
}

/** A request that is well formed as HTTP, and asks for all sorts of things. */
function aRequest(random: Random): string {
  const kind = random(1_000);
  if (kind < 70) return `GET /ping HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\n\r\n`;
  const method = pick(random, ['GET', 'GET', 'GET', 'HEAD', 'PUT', 'OPTIONS', 'TRACE', 'PROPFIND']);
  const path = method === 'GET' ? aPath(random) : pick(random, ['/vms', '/events', '/ping', aPath(random)]);
  const host = pick(random, [
    'localhost',
    'localhost',
    '127.0.0.1:1',
    '[::1]',
    'evil.example',
    'ALLOWED.example.',
  ]);
  const extra = pick(random, [
    '',
    '',
    'Accept-Encoding: gzip;q=0, *\r\n',
    'Accept-Encoding: gzip\r\n',
    `If-None-Match: W/"${instance}:0"\r\n`,
    'If-None-Match: *\r\n',
    'Range: bytes=0-1\r\n',
    `Cookie: ${'c'.repeat(random(3_000))}\r\n`,
  ]);
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n${extra}\r\n`;
}

function aPath(random: Random): string {
  const vm = aSmallVm(random(7)).zonename;
  return pick(random, [
    '/vms',
    '/status',
    '/status?full=true',
    '/ping',
    `/vms/${vm}`,
    `/vms/${vm}?sync=true`,
    '/vms/..%2f..%2fetc%2fpasswd?sync=true',
    '/vms/../../etc/passwd',
    '/vms/%00',
    '/vms/%',
    '/vms/__proto__',
    '/vms/constructor',
    '//evil.example/vms',
    'http://evil.example/vms',
    '*',
    `/${'../'.repeat(random(50))}`,
    `/vms?${aQuery(random)}`,
    `/vms?${aQuery(random)}&${aQuery(random)}`,
  ]);
}

function aQuery(random: Random): string {
  const key = pick(random, [
    'alias',
    'state',
    'nics.*.ip',
    'tags.a.b',
    'fields',
    'since',
    'type',
    'path',
    'vms',
    'heartbeat',
    '__proto__',
    'constructor.name',
    'x',
    '',
    `alias${'.a'.repeat(random(100))}`,
    'customer_metadata.*',
  ]);
  const value = pick(random, [
    'vm1',
    'running',
    '~^(a+)+$',
    '~(',
    `~${'('.repeat(random(200))}`,
    `~.{${random(2_000)}}`,
    '~[^',
    'uuid,alias',
    ',,,',
    `${instance}:${random(10)}`,
    '0:0',
    '-1:-1',
    '1e9',
    'NaN',
    '0',
    'array',
    'none',
    'create,x',
    '%',
    '%ff%fe',
    '%00',
    '+',
    'a'.repeat(random(2_000)),
  ]);
  return `${key}=${value}`;
}

function bytes(random: Random, count: number): string {
  return Array.from({ length: count }, () => String.fromCharCode(random(256))).join('');
}
