import tap from 'tap';
import { eventLog as logLimits } from '../../lib/config.js';
import type { PastEvents } from '../../lib/vm/past-events.js';
import { aSmallVm, get, instance, serve } from './serve.js';

const ask = async (url: string, query = '') => (await get(`${url}/changes${query}`)).json as PastEvents;
const seqs = ({ events }: PastEvents) => events.map(({ seq }) => seq);

void tap.test('/changes: what happened, the newest first, without the VMs', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  t.same(await ask(url), { instance, seq: 0, oldest: null, complete: true, next: null, events: [] });
  store.put(aSmallVm(1, { quota: 20 }));
  store.put(aSmallVm(2));
  store.delete(aSmallVm(1).zonename);
  const answer = await ask(url);
  t.match(answer, { instance, seq: 3, oldest: { seq: 1, date: /^\d{4}-.*Z$/ }, complete: true, next: null });
  t.same(
    answer.events.map(({ date, ...rest }) => rest),
    [
      { type: 'delete', zonename: aSmallVm(1).zonename, uuid: aSmallVm(1).uuid, seq: 3, alias: 'vm1' },
      { type: 'create', zonename: aSmallVm(2).zonename, uuid: aSmallVm(2).uuid, seq: 2, alias: 'vm2' },
      {
        type: 'modify',
        zonename: aSmallVm(1).zonename,
        uuid: aSmallVm(1).uuid,
        seq: 1,
        changes: [{ prettyPath: 'quota', path: ['quota'], action: 'changed', oldValue: 10, newValue: 20 }],
        alias: 'vm1',
      },
    ],
  );
  t.same(
    (await ask(url, '?vm=true')).events.map(({ vm }) => vm),
    [undefined, aSmallVm(2), aSmallVm(1, { quota: 20 })],
  );
});

void tap.test('/changes: of which, and how many', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1), aSmallVm(2)] });
  store.put(aSmallVm(1, { quota: 20 })); // 1
  store.put(aSmallVm(2, { quota: 20 })); // 2
  store.put(aSmallVm(2, { quota: 20, alias: 'new' })); // 3
  store.put(aSmallVm(3)); // 4
  store.delete(aSmallVm(3).zonename); // 5
  for (const [query, expected, next] of [
    [`?zonename=${aSmallVm(2).zonename}`, [3, 2], null],
    ['?path=quota', [2, 1], null],
    ['?path=nics.ip', [], null],
    ['?type=create,delete', [5, 4], null],
    ['?type=modify&path=alias', [3], null],
    ['?limit=2', [5, 4], 4],
    ['?limit=2&before=4', [3, 2], 2],
    ['?limit=2&before=2', [1], null],
    ['?limit=5', [5, 4, 3, 2, 1], null],
    ['?before=1', [], null],
  ] as const) {
    const answer = await ask(url, query);
    t.same(seqs(answer), expected, query);
    t.equal(answer.next, next, `${query}: next`);
    t.match(
      answer,
      { seq: 5, oldest: { seq: 1 }, complete: true },
      'the reach does not depend on the question',
    );
  }
});

void tap.test('/changes: says when it no longer has everything', async (t) => {
  const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
  const count = logLimits.maxEvents + 7;
  for (let n = 1; n <= count; n++) store.put(aSmallVm(1, { quota: 10 + n }));
  t.match(await ask(url, '?limit=1'), { seq: count, oldest: { seq: 8 }, complete: false, next: count });
  const last = await ask(url, '?limit=1000&before=20');
  t.same(seqs(last), [19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8]);
  t.equal(last.next, null);
  t.equal((await ask(url, '?limit=1000')).events.length, 1000);
});
