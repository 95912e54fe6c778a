/** Reports about other watch APIs, servers and exporters, each tried on ours: the names say where they were filed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent, get as httpGet, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import tap from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import { eventLog, http as limits } from '../../lib/config.js';
import { listenOnSocket } from '../../lib/http/server.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { aSmallVm, get, instance, open, serve } from './serve.js';

void tap.test('umputun/docker-logger#64: what happens between the list and the watch is lost', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  const list = await get(`${url}/vms`);
  store.put(aSmallVm(1, { quota: 11 }));
  store.put(aSmallVm(2));
  const [, place = ''] = /"(.+)"/.exec(String(list.headers.etag)) ?? [];
  const stream = await open(t, `${url}/events?since=${place}`);
  t.match(await stream.line(), { type: 'ready', resumed: true });
  t.match(await stream.line(), { type: 'modify', vm: { quota: 11 } });
  t.match(await stream.line(), { type: 'create' });
});

void tap.test('hashicorp/consul#2621: an index that goes backwards is waited for, for ever', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  for (const since of [`${instance}:999999`, '00000000-0000-4000-8000-000000000000:7']) {
    const stream = await open(t, `${url}/events?since=${since}&vms=array`);
    t.match(await stream.line(), { type: 'ready', resumed: false, vms: [{ alias: 'vm1' }] });
    store.put(aSmallVm(1, { quota: Math.random() }));
    t.match(await stream.line(), { type: 'modify' });
  }
});

void tap.test('kubernetes-client/java#1533: a place too old is an error again and again', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  for (let quota = 1; quota <= eventLog.maxEvents + 1; quota++)
    store.put(aSmallVm(1, { quota: quota + 100 }));
  const stream = await open(t, `${url}/events?since=${instance}:0&vms=array`);
  const { resumed, vms } = await stream.line();
  t.equal(resumed, false);
  t.match(vms, [{ quota: eventLog.maxEvents + 101 }], 'the same answer has what one starts over with');
});

void tap.test(
  'discourse/prometheus_exporter#66: a quote in a label makes all metrics unreadable',
  async (t) => {
    const brand = 'a "brand"\nof\\its own' as VmObject['brand'];
    const { url } = await serve(t, { vms: [aSmallVm(1, { brand })] });
    const { text } = await get(`${url}/metrics`);
    t.match(text, '\nvminfod_vms{state="running",brand="a \\"brand\\"\\nof\\\\its own"} 1\n');
    for (const line of text.split('\n')) t.match(line, /^(?:#.*|\w+(?:\{.*\})? \S+|)$/);
  },
);

void tap.test('nodejs/node#20256: a client that asks when its connection is due is hung up on', async (t) => {
  const { url } = await serve(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => {
    agent.destroy();
  });
  const ping = async () => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpGet(`${url}/ping`, { agent }, resolve).on('error', reject);
    });
    response.resume();
    await once(response, 'end');
    return response;
  };
  const first = await ping();
  const announced = Number(/timeout=(\d+)/.exec(String(first.headers['keep-alive']))?.[1]) * 1000;
  t.ok(announced + 500 <= limits.keepAliveMs, 'it is kept for longer than it says');
});

void tap.test(
  'cocoindex-io/cocoindex-code#288: a daemon that ends removes the socket of another',
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'vminfod-socket-'));
    t.teardown(() => {
      rmSync(dir, { recursive: true });
    });
    const path = join(dir, 'vminfod.sock');
    const answer = (_request: unknown, response: { end: (text: string) => unknown }) => response.end('here');
    const first = await listenOnSocket(path, answer);
    rmSync(path);
    const second = await listenOnSocket(path, answer);
    await first.close(100);
    t.ok(existsSync(path), 'that of the other is still there');
    await t.rejects(listenOnSocket(path, answer), /another vminfod/, 'and answers');
    await second.close(100);
    t.notOk(existsSync(path), 'its own is gone');
  },
);

void tap.test(
  'tiann/hapi#868: with a proxy in the environment, nothing on the loopback is reached',
  async (t) => {
    const { url } = await serve(t);
    const proxy = 'http://127.0.0.1:1';
    const env = { ...process.env, HTTP_PROXY: proxy, http_proxy: proxy, ALL_PROXY: proxy, NO_PROXY: '' };
    const vminfo = fileURLToPath(new URL('../../sbin/vminfo.cjs', import.meta.url));
    const child = spawn(process.execPath, [vminfo, '--url', url, 'ping'], { env });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    t.strictSame(await once(child, 'close'), [0, null]);
    t.equal(output, 'pong\n');
  },
);

void tap.test('libuv cuts a path that is too long, and listens at another', async (t) => {
  const dir = t.testdir();
  const path = join(dir, 'x'.repeat(103));
  await t.rejects(
    listenOnSocket(path, () => undefined),
    { name: 'ListenError', message: /more than 103 bytes/ },
  );
  t.strictSame(readdirSync(dir), [], 'nothing is left behind');
});

void tap.test('whatwg/html#8297: an EventSource with an id that means nothing here', async (t) => {
  const { url } = await serve(t, { vms: [aSmallVm(1)] });
  for (const id of ['42', 'a:b', '\u00ff:1', `${instance}:99`]) {
    const headers = { Accept: 'text/event-stream', 'Last-Event-ID': id };
    const stream = await open(t, `${url}/events?vms=array`, headers);
    t.equal(stream.response.statusCode, 200, 'anything else, and a browser never asks again');
    let line = '';
    while (!line.startsWith('data: ')) line = await stream.text();
    t.match(JSON.parse(line.slice('data: '.length)), { resumed: false, vms: [{ alias: 'vm1' }] });
  }
  t.equal((await get(`${url}/events?since=42`)).status, 400, 'who writes it by hand is told');
});

void tap.test(
  'vozlt/nginx-module-vts#142: bytes that are no UTF-8 in what a client says of itself',
  async (t) => {
    const { url } = await serve(t);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    t.teardown(() => socket.destroy());
    const request = 'GET /events?vms=none HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \xff\xfe"x\r\n\r\n';
    socket.write(Buffer.from(request, 'latin1'));
    await once(socket, 'data');
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for (const path of ['/status', '/metrics']) {
      const { status: code, bytes } = await get(`${url}${path}`);
      t.equal(code, 200);
      t.ok(decoder.decode(bytes).length > 0, `${path} can be read`);
    }
    t.match((await get(`${url}/status`)).json, { listeners: { holders: [['\xff\xfe"x', 1]] } });
  },
);

void tap.test('fabric8io/kubernetes-client#1214: after 9 comes 10, which is not less', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  const client = new VminfodClient({ name: 'field', url });
  t.teardown(() => client.close());
  for (let quota = 101; quota <= 112; quota++) store.put(aSmallVm(1, { quota }));
  const seqs: number[] = [];
  for await (const event of client.events({ since: `${instance}:8` })) {
    if (event.type === 'modify' && event.seq !== undefined) seqs.push(event.seq);
    if (seqs.length === 4) break;
  }
  t.strictSame(seqs, [9, 10, 11, 12]);
});
