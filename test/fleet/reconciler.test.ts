import tap from 'tap';
import { hashOf } from '../../lib/fleet/message.js';
import type { Observed } from '../../lib/fleet/observe.js';
import { Reconciler, type Wanted, type Write } from '../../lib/fleet/reconciler.js';
import { aVm } from '../client/a-vm.js';

function wanted(alias: string): Wanted {
  const vm = aVm({ alias });
  return { vm, hash: hashOf(vm), at: '2026-11-27T12:00:00.000Z' };
}

function stored(alias: string | undefined, revision = 1): Observed {
  return { revision, hash: alias === undefined ? undefined : wanted(alias).hash, isOurs: true };
}

function all(reconciler: Reconciler): Write[] {
  const writes: Write[] = [];
  for (let write = reconciler.next(); write; write = reconciler.next()) writes.push(write);
  return writes;
}

const at = '2026-11-27T12:00:01.000Z';

void tap.test('what is written for each pair of sides', (t) => {
  const table: readonly [
    what: string,
    host: string | undefined,
    stream: Observed | undefined,
    expected: object | undefined,
  ][] = [
    ['new', 'a', undefined, { after: 0, previous: undefined, wanted: { vm: { alias: 'a' } } }],
    ['the same', 'a', stored('a'), undefined],
    ['another', 'a', stored('b', 7), { after: 7, previous: 'unknown', wanted: { vm: { alias: 'a' } } }],
    ['it was gone', 'a', stored(undefined, 7), { after: 7, previous: undefined }],
    ['none of ours', 'a', { revision: 7, hash: undefined, isOurs: false }, { after: 7, previous: undefined }],
    ['gone', 'gone', stored('a', 7), { after: 7, wanted: undefined, at }],
    ['gone, and said so', 'gone', stored(undefined), undefined],
    [
      'gone, and none of ours',
      'gone',
      { revision: 7, hash: undefined, isOurs: false },
      { after: 7, wanted: undefined },
    ],
    ['never there', 'gone', undefined, undefined],
    ['nothing known of the host', undefined, stored('a'), undefined],
  ];
  for (const [what, host, stream, expected] of table) {
    const reconciler = new Reconciler();
    if (host !== undefined && host !== 'gone') reconciler.put('z', wanted(host));
    reconciler.observe(new Map(stream ? [['z', stream]] : []));
    if (host === 'gone') reconciler.remove('z', at);
    const writes = all(reconciler);
    t.match(writes, expected === undefined ? [] : [expected], what);
    t.equal(writes.length, expected === undefined ? 0 : 1, what);
  }
  t.end();
});

void tap.test('one write of a VM at a time, then the newest state, and how many were left out', (t) => {
  const reconciler = new Reconciler();
  reconciler.observe(new Map());
  reconciler.put('z', wanted('a'));
  const [first] = all(reconciler);
  for (const alias of ['b', 'c', 'd']) reconciler.put('z', wanted(alias));
  t.strictSame(all(reconciler), [], 'the first is in flight');
  t.equal(reconciler.behind, 1);
  if (first) reconciler.wrote(first, 5);
  const [second] = all(reconciler);
  t.match(second, { after: 5, coalesced: 2, wanted: { vm: { alias: 'd' } }, previous: { alias: 'a' } });
  if (second) reconciler.wrote(second, 6);
  reconciler.put('z', wanted('e'));
  t.match(all(reconciler), [{ after: 6, coalesced: 0 }]);
  t.end();
});

void tap.test('a VM that was created and is gone before the answer came is deleted', (t) => {
  const reconciler = new Reconciler();
  reconciler.observe(new Map());
  reconciler.put('z', wanted('a'));
  const [write] = all(reconciler);
  reconciler.remove('z', at);
  if (write) reconciler.wrote(write, 3);
  t.match(all(reconciler), [{ after: 3, wanted: undefined, at }]);
  t.end();
});

void tap.test('back and forth within one write is written as it ends', (t) => {
  const reconciler = new Reconciler();
  reconciler.put('z', wanted('a'));
  reconciler.observe(new Map([['z', stored('a')]]));
  reconciler.put('z', wanted('b'));
  const [write] = all(reconciler);
  reconciler.put('z', wanted('a'));
  if (write) reconciler.wrote(write, 2);
  t.match(all(reconciler), [{ after: 2, wanted: { vm: { alias: 'a' } } }]);
  t.end();
});

void tap.test('a failed write waits for what the stream has; a refused one for a change', (t) => {
  const reconciler = new Reconciler();
  reconciler.observe(new Map());
  reconciler.put('z', wanted('a'));
  const [write] = all(reconciler);
  t.throws(() => {
    reconciler.observe(new Map());
  }, /writing/);
  if (write) reconciler.failed(write);
  reconciler.observe(new Map([['z', stored('a', 9)]]));
  t.strictSame(all(reconciler), [], 'it had been stored');

  reconciler.put('z', wanted('large'));
  const [large] = all(reconciler);
  if (large) reconciler.refuse(large);
  t.strictSame(reconciler.refused, ['z']);
  t.strictSame(all(reconciler), []);
  reconciler.put('z', wanted('small'));
  t.match(all(reconciler), [{ after: 9, previous: { alias: 'a' } }], 'and with what is known');
  t.strictSame(reconciler.refused, []);
  t.end();
});

void tap.test('of whom nothing is known, somebody is to be asked', (t) => {
  const reconciler = new Reconciler();
  reconciler.put('known', wanted('a'));
  reconciler.put('lost', wanted('a'));
  reconciler.observe(
    new Map([
      ['known', stored('a')],
      ['lost', stored('a')],
      ['other', stored('x')],
      ['gone', stored(undefined)],
    ]),
  );
  reconciler.keepOnly(new Set(['known']));
  t.strictSame([...reconciler.unaccounted()].sort(), ['lost', 'other']);
  t.strictSame(all(reconciler), [], 'and nothing is deleted before');
  reconciler.remove('other', at);
  t.match(all(reconciler), [{ zonename: 'other', wanted: undefined }]);
  t.end();
});
