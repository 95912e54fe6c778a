import { fork } from 'node:child_process';
import { connect, type TcpNetConnectOpts } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import tap from 'tap';
import { eventLog } from '../../lib/config.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { aSmallVm, serve } from './serve.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const readers = 990;
const reconnecting = 200;
const stalled = 10;
const events = 20_000;
/** Events in a turn of the event loop: a storm. */
const atOnce = 100;

const largeBytes = 10_000_000;

/**
 * Bytes that the server may grow by: the event log with its objects, the sleepers' ready line, plain and escaped, and for
 * each listener what its socket and unsent bytes take.
 */
const maxGrowth = 3 * eventLog.maxBytes + 2 * largeBytes + (readers + stalled) * 64 * 1024;

void tap.test(
  '1,000 listeners, 200 reconnecting, 10 never reading, 20,000 events',
  { timeout: 120_000 },
  async (t) => {
    const large = aSmallVm(1, { customer_metadata: { big: 'x'.repeat(largeBytes) } });
    const limits = { maxUnsentBytes: 1024 * 1024, overflowGraceMs: 100, tickMs: 50 };
    const { url, store, listeners, close } = await serve(t, { vms: [large], limits });
    // What a listener that does not read leaves unsent is first of all the ready line, which they share. They have never
    // read a byte: the kernel would keep ever more for one that did.
    const port = Number(new URL(url).port);
    for (let count = 0; count < stalled; count++) {
      const sleeper = connect({ port, host: '127.0.0.1', readableHighWaterMark: 1 } as TcpNetConnectOpts);
      t.teardown(() => sleeper.destroy());
      sleeper.write('GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    }
    while (listeners.list().length < stalled) await new Promise(setImmediate);

    const script = fileURLToPath(new URL('thousand-readers.js', import.meta.url));
    const child = fork(script, [url, `${readers}`, `${reconnecting}`, `${events}`]);
    t.teardown(() => child.kill('SIGKILL'));
    const said: Record<string, unknown>[] = [];
    let have = 0;
    child.on('message', (message: Record<string, unknown>) => {
      if (message['type'] === 'have') have = message['seq'] as number;
      else said.push(message);
    });
    child.on('exit', (code) => said.push({ type: `exited with ${code}` }));
    const until = async (holds: () => boolean) => {
      while (!holds() && said.length < 2) await new Promise(setImmediate);
    };
    await until(() => said.length > 0);
    t.same(said, [{ type: 'ready' }]);

    const before = used();
    let peak = before;
    for (let seq = 1; seq <= events; seq++) {
      store.put(aTinyVm(seq % 50, seq));
      if (seq % atOnce > 0) continue;
      if (seq % 2_000 === 0) peak = Math.max(peak, used());
      // The readers share two cores with the server, so the storm waits for them: they are to be within reach of the log.
      await new Promise(setImmediate);
      await until(() => seq - have < eventLog.maxEvents / 2);
    }

    await until(() => said.length > 1);
    const found = said[1] ?? {};
    t.same({ ...found, resumes: 0, bytes: 0 }, { type: 'done', seq: events, resumes: 0, bytes: 0 });
    t.ok((found['resumes'] as number) > reconnecting, `${String(found['resumes'])} reconnects`);
    const { bytes, deadline, log } = listeners.overflows;
    // On a busy machine their time is over before their buffers are full.
    t.same({ cutOff: bytes + deadline, log }, { cutOff: stalled, log: 0 }, 'the stalled ones were cut off');
    t.ok(peak - before < maxGrowth, `grew by ${(peak - before) / 2 ** 20} MiB`);
    t.comment(
      `${readers} readers got ${Number(found['bytes']) / 2 ** 20} MiB, ${String(found['resumes'])} resumes, grew by ${(peak - before) / 2 ** 20} MiB`,
    );
    await close();
    while (listeners.list().length > 0) await new Promise(setImmediate);
  },
);

/** Bytes are compared, because twenty million lines go over the wire. */
function aTinyVm(n: number, quota: number): VmObject {
  return { zonename: `z${n}`, uuid: `u${n}`, quota } as unknown as VmObject;
}

/** Bytes in use, without garbage. */
function used(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
