/** Fair shares of the door: who opens too much does not keep out the others. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { request as httpRequest } from 'node:http';
import tap, { type Test } from 'tap';
import type { ConnectionsStatus } from '../../lib/http/connections.js';
import { listenOnPort, listenOnSocket } from '../../lib/http/server.js';
import type { Handler } from '../../lib/http/routes.js';
import { aSmallVm, get, open, serve } from './serve.js';

/** A connection that says this, and its end. */
async function connection(
  t: Test,
  url: string,
  text: string,
): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.write(text);
  if (text.endsWith('\r\n\r\n')) await once(socket, 'data');
  return { socket, closed };
}

void tap.test('one connection too many ends the oldest idle one, and none that is busy', async (t) => {
  const crowds: ConnectionsStatus[] = [];
  const answer: Handler = ({ url }, response) => {
    if (url === '/slow') response.writeHead(200).write('begun');
    else response.end('here');
  };
  const server = await listenOnPort(
    {
      listen: '127.0.0.1',
      port: 0,
      allowedHosts: [],
      maxConnections: 4,
      onCrowded: (status) => crowds.push(status()),
    },
    answer,
  );
  t.teardown(() => server.close(0));
  const { url } = server;
  const ask = (path: string, agent: string) =>
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${agent}\r\n\r\n`;
  const busy = await connection(t, url, ask('/slow', 'busy'));
  const silent = await connection(t, url, '');
  const half = await connection(t, url, 'GET / HTTP/1.1\r\n');
  const asked = await connection(t, url, ask('/', 'greedy'));
  t.strictSame(crowds, []);
  t.equal((await get(`${url}/`, { Host: 'localhost' })).text, 'here', 'there is room for one more');
  await silent.closed;
  t.match(crowds, [
    {
      max: 4,
      ended: 1,
      holders: [
        ['-', 2],
        ['busy', 1],
        ['greedy', 1],
      ],
    },
  ]);
  await connection(t, url, '');
  const [last] = [await connection(t, url, ask('/', 'greedy'))];
  await half.closed;
  await connection(t, url, '');
  await asked.closed;
  t.notOk(busy.socket.destroyed, 'what has a request is left alone');
  t.notOk(last.socket.destroyed, 'and so is what was idle for less long');
  for (let n = 0; n < 3; n++) await connection(t, url, ask('/slow', 'busy'));
  const refused = await connection(t, url, '');
  await refused.closed;
  t.pass('where all are busy, it is the new one');
});

void tap.test('listeners: the log says who has them, once, and the Unix socket has room still', async (t) => {
  const { url, listeners, log, handler } = await serve(t, {
    vms: [aSmallVm(1)],
    limits: { maxListeners: 3, maxReservedListeners: 1 },
  });
  const directory = mkdtempSync(join(tmpdir(), 'vminfod-crowd-')); // A socket's path must be short.
  t.teardown(() => {
    rmSync(directory, { recursive: true });
  });
  const path = join(directory, 's');
  const server = await listenOnSocket(path, handler);
  t.teardown(() => server.close(0));
  for (const agent of ['greedy', 'greedy', 'modest']) {
    await (await open(t, `${url}/events`, { 'User-Agent': agent })).line();
  }
  for (let n = 0; n < 3; n++)
    t.match(await get(`${url}/events`), { status: 503, json: { code: 'TooManyListeners' } });
  t.equal((await get(`${url}/vms`)).status, 200, 'all else is answered');
  const warnings = log.filter(({ msg }) => String(msg).includes('no more listeners'));
  t.match(warnings, [{ msg: 'no more listeners are taken: there are 3, 2 of greedy, 1 of modest' }]);
  t.equal(warnings.length, 1);
  t.strictSame(listeners.crowd(), {
    max: 3,
    refused: 3,
    holders: [
      ['greedy', 2],
      ['modest', 1],
    ],
  });
  const request = httpRequest({ socketPath: path, path: '/events', headers: { host: 'any' }, agent: false });
  request.end();
  const [response] = (await once(request, 'response')) as [{ statusCode: number; destroy: () => void }];
  t.equal(response.statusCode, 200);
  t.match((await get(`${url}/status`)).json, {
    listeners: { max: 3 },
    connections: { [url]: { max: 4000 } },
  });
  response.destroy();
  request.destroy();
});
