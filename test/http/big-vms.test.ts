/** A VM whose bytes are kept in parts is answered and streamed like any other. */
import { once } from 'node:events';
import { connect } from 'node:net';
import tap from 'tap';
import { aSmallVm, get, instance, open, serve } from './serve.js';

void tap.test('much metadata and thousands of snapshots, however they are asked for', async (t) => {
  const snapshots = Array.from({ length: 1_500 }, (_, n) => ({ name: `é${n}`, size: n }));
  const customer_metadata = { text: 'ü"\n'.repeat(50_000) };
  const big = (quota: number) => aSmallVm(1, { quota, snapshots, customer_metadata });
  const { url, store } = await serve(t, { vms: [big(1), aSmallVm(2)] });
  const { zonename } = big(1);
  const all = [big(1), aSmallVm(2)];

  t.strictSame((await get(`${url}/vms`)).json, all);
  t.strictSame((await get(`${url}/vms?fields=snapshots,quota`)).json, [
    { snapshots, quota: 1 },
    { quota: 10 },
  ]);
  t.strictSame((await get(`${url}/vms/${zonename}`)).json, big(1));
  t.strictSame((await get(`${url}/vms/${zonename}?fields=customer_metadata`)).json, { customer_metadata });

  const asString = await open(t, `${url}/events`);
  t.strictSame(JSON.parse(String((await asString.line())['vms'])), all);
  const some = await open(t, `${url}/events?fields=snapshots,quota`);
  t.strictSame(JSON.parse(String((await some.line())['vms'])), [{ snapshots, quota: 1 }, { quota: 10 }]);
  const asArray = await open(t, `${url}/events?vms=array`);
  t.strictSame((await asArray.line())['vms'], all);
  const { port } = new URL(url);
  const old = connect(Number(port), '127.0.0.1');
  t.teardown(() => old.destroy());
  let answer = '';
  old.setEncoding('utf8').on('data', (text: string) => (answer += text));
  old.write('GET /events?vms=none HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n');
  while (!answer.includes('"ready"')) await once(old, 'data');

  store.put(big(2));
  const changes = [{ prettyPath: 'quota', path: ['quota'], action: 'changed', oldValue: 1, newValue: 2 }];
  for (const stream of [asString, asArray]) t.match(await stream.line(), { vm: big(2), changes });
  t.strictSame((await some.line())['vm'], { snapshots, quota: 2 });
  while (!/"modify"[^]*\n\n/.test(answer)) await once(old, 'data');
  const [, event] = answer.split('\n\n');
  const data = event?.replace(`id: ${instance}:1\ndata: `, '');
  t.match(JSON.parse(data ?? ''), { type: 'modify', vm: big(2), changes });
  const late = await open(t, `${url}/events?since=${instance}:0`);
  await late.line();
  t.match(await late.line(), { seq: 1, vm: big(2) }, 'from the log');
});
