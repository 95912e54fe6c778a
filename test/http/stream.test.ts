import { once } from 'node:events';
import { connect } from 'node:net';
import tap from 'tap';
import { aSmallVm, get, instance, open, serve } from './serve.js';

void tap.test("without parameters: the platform's bytes, and ours only as added keys", async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  const stream = await open(t, `${url}/events`);
  t.equal(stream.response.headers['content-type'], 'application/json');
  const ready = await stream.line();
  t.equal(ready['vms'], JSON.stringify([aSmallVm(1)]));
  // The original's keys in its order, and ours.
  t.strictSame(Object.keys(ready), ['type', 'date', 'uuid', 'instance', 'seq', 'resumed', 'vms']);

  store.put(aSmallVm(2));
  store.put(aSmallVm(1, { quota: 20 }));
  store.delete(aSmallVm(2).zonename);
  const withoutDate = (text: string) => text.replace(/"date":"[^"]*"/, '"date":""');
  const { zonename: one } = aSmallVm(1);
  const { zonename: two } = aSmallVm(2);
  t.equal(
    withoutDate(await stream.text()),
    `{"type":"create","date":"","zonename":"${two}","uuid":"${two}","seq":1,"vm":${JSON.stringify(aSmallVm(2))}}`,
  );
  const changes = [{ prettyPath: 'quota', path: ['quota'], action: 'changed', oldValue: 10, newValue: 20 }];
  t.equal(
    withoutDate(await stream.text()),
    `{"type":"modify","date":"","zonename":"${one}","uuid":"${one}","seq":2,"vm":${JSON.stringify(aSmallVm(1, { quota: 20 }))},"changes":${JSON.stringify(changes)}}`,
  );
  t.equal(
    withoutDate(await stream.text()),
    `{"type":"delete","date":"","zonename":"${two}","uuid":"${two}","seq":3,"vm":${JSON.stringify(aSmallVm(2))}}`,
  );
  t.equal((await get(`${url}/vms`)).text, JSON.stringify([aSmallVm(1, { quota: 20 })]));
  t.equal((await get(`${url}/vms/${one}`)).text, JSON.stringify(aSmallVm(1, { quota: 20 })));
  t.equal((await get(`${url}/ping`)).text, '{"ping":"pong"}');
});

void tap.test('since: resumes after an event, or says that it cannot', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  for (let quota = 1; quota <= 5; quota++) store.put(aSmallVm(1, { quota }));
  const resumed = await open(t, `${url}/events?since=${instance}:3`);
  t.match(await resumed.line(), { type: 'ready', resumed: true, seq: 3, vms: undefined });
  t.match(await resumed.line(), { seq: 4, vm: { quota: 4 } });
  t.match(await resumed.line(), { seq: 5, vm: { quota: 5 } });
  store.put(aSmallVm(1, { quota: 6 }));
  t.match(await resumed.line(), { seq: 6 });

  for (const since of [`${instance}:99`, `0:3`]) {
    const fresh = await open(t, `${url}/events?since=${since}&vms=array`);
    t.match(await fresh.line(), { type: 'ready', resumed: false, seq: 6, vms: [{ quota: 6 }] }, since);
  }
  for (let quota = 1_000; quota < 4_000; quota++) store.put(aSmallVm(1, { quota }));
  const late = await open(t, `${url}/events?since=${instance}:3&vms=none`);
  t.match(await late.line(), { type: 'ready', resumed: false, seq: 3006 }, 'the log is bounded');
});

void tap.test('filters: a VM that starts or stops to match appears and disappears', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2, { state: 'stopped' })] });
  const stream = await open(t, `${url}/events?state=running&vms=array`);
  t.match(await stream.line(), { vms: [{ alias: 'vm1' }] });
  store.put(aSmallVm(2));
  store.put(aSmallVm(2, { quota: 20 }));
  store.put(aSmallVm(1, { state: 'stopped' }));
  store.put(aSmallVm(1, { state: 'stopped', quota: 20 }));
  store.put(aSmallVm(3, { state: 'stopped' }));
  store.delete(aSmallVm(3).zonename);
  store.delete(aSmallVm(2).zonename);
  t.match(await stream.line(), { type: 'create', seq: 1, vm: { alias: 'vm2' } });
  t.match(await stream.line(), { type: 'modify', seq: 2, changes: [{ path: ['quota'] }] });
  t.match(await stream.line(), { type: 'delete', seq: 3, vm: { alias: 'vm1', state: 'running' } });
  t.match(await stream.line(), { type: 'delete', seq: 7, zonename: aSmallVm(2).zonename });

  const again = await open(t, `${url}/events?state=running&since=${instance}:1`);
  await again.line();
  t.match(await again.line(), { type: 'modify', seq: 2 });
  t.match(await again.line(), { type: 'delete', seq: 3 });
  t.match((await get(`${url}/vms?quota=20&alias=~^VM`)).json, [{ alias: 'vm1' }]);
});

void tap.test('zonename, type, path and fields choose what is told', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2)] });
  const { zonename } = aSmallVm(2);
  const ofOne = await open(t, `${url}/events?vms=none&zonename=${zonename}`);
  const types = await open(t, `${url}/events?vms=none&type=create,delete`);
  const paths = await open(t, `${url}/events?vms=none&path=quota,nics.ip`);
  const fields = await open(t, `${url}/events?fields=alias,nics.ip&vms=array`);
  for (const stream of [ofOne, types, paths]) await stream.line();
  t.same((await fields.line())['vms'], [
    { alias: 'vm1', nics: [{ ip: '10.0.0.1' }] },
    { alias: 'vm2', nics: [{ ip: '10.0.0.1' }] },
  ]);

  store.put(aSmallVm(1, { alias: 'web' }));
  store.put(aSmallVm(1, { alias: 'web', quota: 20 }));
  store.put(aSmallVm(2, { alias: 'db', quota: 20 }));
  store.delete(zonename);
  t.match(await ofOne.line(), { seq: 3 });
  t.match(await types.line(), { seq: 4, type: 'delete' });
  t.match(await paths.line(), { seq: 2 });
  t.match(await paths.line(), { seq: 3, changes: [{ path: ['alias'] }, { path: ['quota'] }] });
  t.match(await fields.line(), { seq: 1, changes: [{ path: ['alias'] }] });
  const three = await fields.line();
  t.equal(three['seq'], 3, 'a change of no field is not told');
  t.same(three['vm'], { alias: 'db', nics: [{ ip: '10.0.0.1' }] });
  t.match(three['changes'], [{ path: ['alias'] }]);
  t.equal((three['changes'] as unknown[]).length, 1);
});

void tap.test('heartbeats come at once and then regularly, with a place to resume from', async (t) => {
  const { url, store } = await serve(t, { limits: { tickMs: 20 } });
  const stream = await open(t, `${url}/events?vms=none&alias=nobody&heartbeat=1`);
  t.match(await stream.line(), { type: 'ready', seq: 0 });
  t.match(await stream.line(), { type: 'heartbeat', instance, seq: 0 });
  store.put(aSmallVm(1));
  t.match(await stream.line(), { type: 'heartbeat', instance, seq: 1 });
});

void tap.test('Server-Sent Events carry an id to resume from', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  const accept = { Accept: 'text/event-stream' };
  const stream = await open(t, `${url}/events?vms=none`, accept);
  t.equal(stream.response.headers['content-type'], 'text/event-stream');
  t.match(await stream.text(), /^retry: \d+$/);
  t.equal(await stream.text(), `id: ${instance}:0`);
  t.match(await stream.text(), /^data: {"type":"ready".*}$/);
  t.equal(await stream.text(), '');
  store.put(aSmallVm(2));
  t.equal(await stream.text(), `id: ${instance}:1`);
  t.match(await stream.text(), /^data: {"type":"create".*}$/);
  store.put(aSmallVm(3));

  const resumed = await open(t, `${url}/events?vms=none`, { ...accept, 'Last-Event-ID': `${instance}:1` });
  t.match(await resumed.text(), /^retry/);
  t.equal(await resumed.text(), `id: ${instance}:1`);
  t.match(await resumed.text(), /"resumed":true/);
  await resumed.text();
  t.equal(await resumed.text(), `id: ${instance}:2`);
});

void tap.test(
  'a listener that does not read is cut off, and told where to resume when it reads again',
  async (t) => {
    const large = aSmallVm(1, { customer_metadata: { big: 'x'.repeat(20_000_000) } });
    for (const limits of [
      { maxUnsentBytes: 100_000, tickMs: 10, overflowGraceMs: 60_000 },
      { writeDeadlineMs: 100, tickMs: 10, overflowGraceMs: 60_000 },
    ]) {
      const { url, store, listeners, log, close } = await serve(t, { vms: [large], limits });
      const stream = await open(t, `${url}/events`);
      stream.response.pause();
      for (let quota = 1; listeners.overflows.bytes + listeners.overflows.deadline === 0; quota++) {
        store.put(aSmallVm(2, { quota }));
        await new Promise(setImmediate);
      }
      stream.response.resume();
      let last = 0;
      for (let line = await stream.line(); line['type'] !== 'overflow'; line = await stream.line()) {
        last = line['seq'] as number;
        if (line['type'] === 'ready') t.equal(last, 0);
      }
      t.match(log, [{ since: `${instance}:${last}` }]);
      await t.rejects(stream.text(), 'the stream has ended');
      const again = await open(t, `${url}/events?since=${instance}:${last}`);
      t.match(await again.line(), { resumed: true });
      await close();
    }
  },
);

void tap.test('a listener that never reads is destroyed after its grace', async (t) => {
  const large = aSmallVm(1, { customer_metadata: { big: 'x'.repeat(20_000_000) } });
  const limits = { writeDeadlineMs: 20, tickMs: 10, overflowGraceMs: 20 };
  const { url, listeners } = await serve(t, { vms: [large], limits });
  const stream = await open(t, `${url}/events`);
  stream.response.pause();
  while (listeners.list().length > 0) await new Promise(setImmediate);
  t.same(listeners.overflows, { bytes: 0, deadline: 1, log: 0 });
});

void tap.test('more listeners than the limit get 503', async (t) => {
  const { url, listeners } = await serve(t, { limits: { maxListeners: 1 } });
  const stream = await open(t, `${url}/events`);
  await stream.line();
  const refused = await get(`${url}/events`);
  t.equal(refused.status, 503);
  t.match(refused.json, { code: 'TooManyListeners' });
  t.equal(refused.headers['retry-after'], '1');
  stream.close();
  while (listeners.list().length > 0) await new Promise(setImmediate);
  await (await open(t, `${url}/events`)).line();
});

void tap.test(
  'no more large snapshots are on their way than the limit, however many ask at once',
  async (t) => {
    const large = aSmallVm(1, { customer_metadata: { big: 'x'.repeat(20_000_000) } });
    const { url, listeners } = await serve(t, { vms: [large], limits: { maxSnapshotsUnsent: 2 } });
    const port = Number(new URL(url).port);
    const sockets = ['vm', 'm1', 'v', '1'].map((pattern) => ({
      pattern,
      socket: connect(port, '127.0.0.1'),
    }));
    for (const { socket } of sockets) {
      t.teardown(() => socket.destroy());
      await once(socket, 'connect');
    }
    for (const { socket, pattern } of sockets) {
      socket.write(
        `GET /events?vms=array&fields=customer_metadata&alias=~${pattern} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      );
    }
    const answers = await Promise.all(
      sockets.map(async ({ socket }) => {
        const [chunk] = (await once(socket, 'data')) as [Buffer];
        socket.pause();
        return { socket, status: chunk.toString('latin1', 9, 12) };
      }),
    );
    t.same(answers.map(({ status }) => status).sort(), ['200', '200', '503', '503']);
    while (listeners.list().length > 2) await new Promise(setImmediate);
    answers.find(({ status }) => status === '200')?.socket.destroy();
    while (listeners.list().length > 1) await new Promise(setImmediate);
    t.equal((await open(t, `${url}/events?alias=~vm`, {}, 'unread')).response.statusCode, 200);
  },
);

void tap.test('small snapshots are not counted, and those who get the same one share it', async (t) => {
  const limits = { maxSnapshotsUnsent: 2 };
  const large = aSmallVm(1, { customer_metadata: { big: 'x'.repeat(20_000_000) } });
  const { url } = await serve(t, { vms: [large, aSmallVm(2)], limits });
  for (const query of ['alias=vm2', 'vms=string', 'vms=array']) {
    const asking = Array.from({ length: 5 }, () => open(t, `${url}/events?${query}`, {}, 'unread'));
    const streams = await Promise.all(asking);
    t.same(new Set(streams.map(({ response }) => response.statusCode)), new Set([200]), query);
    for (const stream of streams) stream.close();
  }
});

void tap.test('the clean end of a stream', async (t) => {
  const { url, close } = await serve(t);
  const stream = await open(t, `${url}/events`);
  await stream.line();
  void close();
  await t.rejects(stream.text(), { message: 'the stream has ended' });
});
