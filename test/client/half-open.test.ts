/** A connection that is dead without either side being told: a cut cable, a NAT that forgot. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import tap, { type Test } from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import type { StreamEvent } from '../../lib/client/events.js';
import { eventually } from '../daemon/harness.js';
import { aSmallVm, serve } from '../http/serve.js';

void tap.test('a stream that is silent for two heartbeats is resumed, and nothing is missed', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  const proxy = await startProxy(t, Number(new URL(url).port));
  await using client = new VminfodClient({ url: proxy.url, name: 'tester' });
  const lost: string[] = [];
  const missed: number[] = [];
  const seen: StreamEvent[] = [];
  const stream = client.events({
    heartbeatSeconds: 1,
    onDisconnect: ({ message }) => lost.push(message),
    onReconnect: (count) => missed.push(count),
  });
  const following = (async () => {
    for await (const event of stream) {
      seen.push(event);
      if (event.type === 'delete') return;
    }
  })();
  await eventually(() => seen.length === 1, 'it is live');
  store.put(aSmallVm(1, { quota: 11 }));
  await eventually(() => seen.length === 2, 'an event passes');
  proxy.cut();
  store.put(aSmallVm(1, { quota: 12 }));
  store.put(aSmallVm(1, { quota: 13 }));
  await eventually(() => missed.length === 1, 'it is resumed');
  t.strictSame(missed, [2]);
  t.equal(lost.length, 1, 'the loss is told once');
  t.match(lost[0], /was silent for 2 s/);
  store.delete(aSmallVm(1).zonename);
  await following;
  t.strictSame(
    seen.map(({ type }) => type),
    ['ready', 'modify', 'modify', 'modify', 'delete'],
    'each event once',
  );
  t.match(seen.at(-1), { vm: { quota: 13 } });
});

void tap.test('a quiet daemon is not taken for a dead one', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  await using client = new VminfodClient({ url, name: 'tester' });
  const lost: Error[] = [];
  const events = client
    .events({ heartbeatSeconds: 1, onDisconnect: (error) => lost.push(error) })
    [Symbol.asyncIterator]();
  await events.next();
  const next = events.next();
  setTimeout(() => {
    store.put(aSmallVm(1, { quota: 11 }));
  }, 4_500);
  t.match(await next, { value: { type: 'modify' } });
  t.strictSame(lost, []);
  await events.return?.();
});

/** Forwards connections; those there are when it is cut live on, and nothing passes. */
async function startProxy(
  t: Test,
  port: number,
): Promise<{ readonly url: string; readonly cut: () => void }> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((socket) => {
    const pair = [socket, connect(port, '127.0.0.1')] as const;
    pairs.add(pair);
    pair[0].pipe(pair[1]).pipe(pair[0]);
    for (const each of pair) each.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of [...pairs].flat()) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        // Read on, and lose it: what stood in a buffer would tell.
        near.resume();
        far.resume();
      }
    },
  };
}
