/** What the platform's vminfod got wrong on real hosts, as far as it had to do with consumers: a test for each, named after it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import tap from 'tap';
import { VminfodClient, type StreamEvent } from '../../lib/index.js';
import { run } from '../cli/run.js';
import { changeOf, eventsSufficed, zoneOf } from './facts.js';
import { eventually, startTestDaemon } from './harness.js';
import { killHanging } from '../processes.js';

void tap.test(
  'A `ready` that came after the client had given up crashed the client; buffered events were delivered after `stop()`',
  async (t) => {
    const daemon = await startTestDaemon(t, {
      booting: true,
      prepare: (host) => {
        host.setFault('zfs', { full: true, hang: true });
      },
    });
    const { host } = daemon;
    await using client = new VminfodClient({ url: daemon.daemon.url, name: 'test' });
    const givenUp = new AbortController();
    const waiting = client.events({ signal: givenUp.signal })[Symbol.asyncIterator]().next();
    givenUp.abort(new Error('given up'));
    await t.rejects(waiting, { message: 'given up' });
    host.clearFaults();
    await killHanging();
    await eventually(async () => (await daemon.get('/ping')).status === 200, 'it is ready');

    const stop = new AbortController();
    const [zonename = ''] = host.zonenames();
    const seen: StreamEvent[] = [];
    const ended = (async () => {
      for await (const event of client.events({ signal: stop.signal })) {
        seen.push(event);
        if (event.type === 'modify') stop.abort(new Error('stopped'));
      }
    })();
    await eventually(() => seen.length === 1, 'the stream is live');
    for (let round = 0; round < 20; round++) await host.setTags(zonename, { round });
    await host.zfs('set', 'quota=77g', `zones/${zonename}`);
    await t.rejects(ended, { message: 'stopped' });
    t.equal(seen.length, 2, 'nothing came after it was stopped');
    await eventually(
      async () => Object.keys((await daemon.status()).eventsListeners).length === 0,
      'the daemon has no listener left',
    );
  },
);

void tap.test(
  'A write that changed nothing gave no event, and its writer waited a minute for one',
  async (t) => {
    const daemon = await startTestDaemon(t);
    const { host } = daemon;
    const zonename = zoneOf(host, 'joyent-minimal');
    const { quota } = (await daemon.vm(zonename)) as { quota?: number };
    const listening = await daemon.listen();
    await using client = new VminfodClient({ url: daemon.daemon.url, name: 'test' });
    await host.zfs('set', `quota=${quota ?? 0}g`, `zones/${zonename}`);
    t.match(await client.vm(zonename, { sync: true }), { quota });
    const waited = await run(daemon.daemon.url, ['wait', zonename, `quota=${quota ?? 0}`]);
    t.match(waited, { status: 0 });
    t.strictSame(listening.events, [], 'and there was no event');
  },
);

void tap.test('A User-Agent with control characters wrote to the operator’s terminal', async (t) => {
  const daemon = await startTestDaemon(t);
  const { hostname, port } = new URL(daemon.daemon.url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  // 0x9b is CSI, as ESC [ is; bytes from 0x80 on are allowed in a header.
  const userAgent = Buffer.from('bad \u009b2Jagent \u009d0;title\u009c', 'latin1');
  socket.write(
    Buffer.concat([Buffer.from('GET /events HTTP/1.1\r\nHost: localhost\r\nUser-Agent: '), userAgent]),
  );
  socket.write('\r\n\r\n');
  await once(socket, 'data');
  const [listener] = Object.values((await daemon.status()).eventsListeners);
  t.match(listener, { userAgent: /bad/ });
  const { stdout } = await run(daemon.daemon.url, ['status']);
  t.match(stdout, /bad /);
  t.notMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  for (const { msg } of daemon.log) t.notMatch(String(msg), /bad/);
});

void tap.test('A consumer that stopped reading made the daemon buffer without bound', async (t) => {
  const daemon = await startTestDaemon(t, { vms: 2 });
  const { host } = daemon;
  const [zonename = ''] = host.zonenames();
  const listening = await daemon.listen();
  const { hostname, port } = new URL(daemon.daemon.url);
  const stalled = connect(Number(port), hostname);
  t.teardown(() => stalled.destroy());
  stalled.on('error', () => undefined);
  stalled.write('GET /events HTTP/1.1\r\nHost: localhost\r\nUser-Agent: stalled\r\n\r\n');
  const isListed = async () =>
    Object.values((await daemon.status()).eventsListeners).some(({ userAgent }) => userAgent === 'stalled');
  await eventually(isListed, 'it listens');
  stalled.pause();
  const before = process.memoryUsage().arrayBuffers;
  let round = 0;
  for (; round < 60 && (await isListed()); round++) {
    await host.setMetadata(zonename, 'customer_metadata', { big: String(round).padStart(4 * 2 ** 20, 'x') });
    await listening.until((event) => event.zonename === zonename, round);
  }
  t.notOk(await isListed(), `it was cut off, after ${round} events of 8 MiB`);
  t.ok(process.memoryUsage().arrayBuffers - before < 512 * 2 ** 20);
  await host.setMetadata(zonename, 'customer_metadata', { big: null });
  await listening.until(
    (event) => 'vm' in event && !('big' in (event.vm.customer_metadata as object)),
    listening.events.length,
  );
  await eventsSufficed(t, daemon, listening);
});

void tap.test('The event tool’s child died and took the daemon with it', async (t) => {
  const daemon = await startTestDaemon(t);
  const { host } = daemon;
  const zonename = zoneOf(host, 'joyent-minimal');
  const listening = await daemon.listen();
  for (const signal of ['SIGSEGV', 'SIGKILL', 'SIGTERM'] as const)
    for (const pid of host.syseventPids()) process.kill(pid, signal);
  await host.zfs('set', 'quota=77g', `zones/${zonename}`);
  await host.stop(zonename);
  await listening.until(changeOf(zonename, 'quota', 77));
  await listening.until(changeOf(zonename, 'state', 'stopped'));
  const isWell = async () =>
    (await daemon.status()).sources.every(({ state }) => state === 'running') &&
    host.syseventPids().length === 2;
  await eventually(isWell, 'both are there again');
  t.equal((await daemon.get('/ping')).status, 200);
});
