import tap from 'tap';
import { aSmallVm, get, open, serve } from './serve.js';

void tap.test('fields of one VM, with its ETag', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2)] });
  const path = `${url}/vms/${aSmallVm(1).zonename}?fields=alias,nics.ip`;
  const first = await get(path);
  t.strictSame(first.json, { alias: 'vm1', nics: [{ ip: '10.0.0.1' }] });
  const tag = String(first.headers.etag);
  const again = await get(path, { 'If-None-Match': tag });
  t.match(again, { status: 304, text: '', headers: { etag: tag } });
  store.put(aSmallVm(2, { alias: 'other' }));
  t.equal((await get(path, { 'If-None-Match': tag })).status, 304, 'another VM does not matter');
  store.put(aSmallVm(1, { alias: 'new' }));
  t.match(await get(path, { 'If-None-Match': tag }), { status: 200, json: { alias: 'new' } });
  t.strictSame((await get(`${path}&sync=true`)).json, { alias: 'new', nics: [{ ip: '10.0.0.1' }] });
  for (const [query, message] of [
    ['fields=colour', /colour/],
    ['fields=alias&fields=nics', /twice/],
    ['sync=maybe', /true or false/],
    ['alias=vm1', /unknown parameter: alias/],
  ] as const)
    t.match(await get(`${url}/vms/${aSmallVm(1).zonename}?${query}`), { status: 400, json: { message } });
});

void tap.test('a delete carries the VM as it was last', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2)] });
  const whole = await open(t, `${url}/events`);
  const some = await open(t, `${url}/events?fields=alias&state=running`);
  const ready = await whole.line();
  await some.line();
  store.put(aSmallVm(1, { quota: 11 }));
  store.delete(aSmallVm(1).zonename);
  t.match(await whole.line(), { type: 'modify' });
  const last = await whole.line();
  t.match(last, { type: 'delete', zonename: aSmallVm(1).zonename });
  t.strictSame(last['vm'], aSmallVm(1, { quota: 11 }));
  t.match(await some.line(), { type: 'delete', vm: { alias: 'vm1' } });
  const late = await open(t, `${url}/events?since=${String(ready['instance'])}:${String(ready['seq'])}`);
  t.match(await late.line(), { type: 'ready', resumed: true });
  t.match(await late.line(), { type: 'modify' });
  t.strictSame(await late.line(), last, 'to who resumes too');
  store.put(aSmallVm(2, { state: 'stopped' }));
  t.match(await some.line(), { type: 'delete', vm: { alias: 'vm2' } }, 'it no longer matches');
});

void tap.test('host=true: every line says of which host it is, no other does', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  const names = { server_uuid: 'aaaaaaaa-0000-4000-8000-000000000001', datacenter_name: 'coal' };
  const named = await open(t, `${url}/events?host=true&vms=array`);
  const plain = await open(t, `${url}/events?vms=array`);
  t.match(await named.line(), { type: 'ready', ...names });
  t.notOk('server_uuid' in (await plain.line()));
  store.put(aSmallVm(1, { quota: 11 }));
  store.delete(aSmallVm(1).zonename);
  for (const type of ['modify', 'delete']) {
    t.match(await named.line(), { type, ...names });
    t.notOk('server_uuid' in (await plain.line()), type);
  }
  t.equal((await get(`${url}/events?host=perhaps`)).status, 400);
});
