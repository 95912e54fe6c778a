import tap from 'tap';
import { diff } from '../../lib/vm/diff.js';
import { canonical } from '../../lib/vm/equal.js';
import type { JsonObject, JsonValue } from '../../lib/vm/json.js';
import { apply, unordered } from './apply.js';
import { aVm } from './factories.js';

/** Diffs of VMs that have these properties and no others; what is no VM is JSON all the same. */
function changesOf(old: JsonObject, now: JsonObject) {
  return diff(old as never, now as never);
}

/** Parses JSON: the one way to write an own `__proto__`. */
function parsed(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

const disk = { path: '/a', size: 10 };
const nic = { mac: '0:1', ip: '10.0.0.1', ips: ['10.0.0.1/24'] };

const cases: readonly {
  readonly what: string;
  readonly old: JsonObject;
  readonly now: JsonObject;
  readonly changes: ReturnType<typeof diff>;
}[] = [
  { what: 'nothing', old: { a: 1, b: [1, { c: null }] }, now: { b: [1, { c: null }], a: 1 }, changes: [] },
  {
    what: 'a value, with its type',
    old: { quota: 10 },
    now: { quota: 20 },
    changes: [{ prettyPath: 'quota', path: ['quota'], action: 'changed', oldValue: 10, newValue: 20 }],
  },
  {
    what: 'the type alone',
    old: { quota: 10 },
    now: { quota: '10' },
    changes: [{ prettyPath: 'quota', path: ['quota'], action: 'changed', oldValue: 10, newValue: '10' }],
  },
  {
    what: 'null is a value',
    old: { zoneid: null, a: null },
    now: { zoneid: 12, b: null },
    changes: [
      { prettyPath: 'zoneid', path: ['zoneid'], action: 'changed', oldValue: null, newValue: 12 },
      { prettyPath: 'a', path: ['a'], action: 'removed', oldValue: null },
      { prettyPath: 'b', path: ['b'], action: 'added', newValue: null },
    ],
  },
  {
    what: 'removed and changed first, in old order, then added',
    old: { tags: { a: 1 }, x: 1, y: 1 },
    now: { n: 1, y: 2, tags: { b: 1 } },
    changes: [
      { prettyPath: 'tags.a', path: ['tags', 'a'], action: 'removed', oldValue: 1 },
      { prettyPath: 'x', path: ['x'], action: 'removed', oldValue: 1 },
      { prettyPath: 'y', path: ['y'], action: 'changed', oldValue: 1, newValue: 2 },
      { prettyPath: 'tags.b', path: ['tags', 'b'], action: 'added', newValue: 1 },
      { prettyPath: 'n', path: ['n'], action: 'added', newValue: 1 },
    ],
  },
  {
    what: 'the deepest differing value',
    old: { tags: { a: { b: { c: 1, d: 1 } } } },
    now: { tags: { a: { b: { c: 2, d: 1 } } } },
    changes: [
      {
        prettyPath: 'tags.a.b.c',
        path: ['tags', 'a', 'b', 'c'],
        action: 'changed',
        oldValue: 1,
        newValue: 2,
      },
    ],
  },
  {
    what: 'object, array, null and value in each other’s place',
    old: { a: 1, b: null, c: [], d: {}, e: {}, f: [1] },
    now: { a: {}, b: {}, c: {}, d: [], e: null, f: 'x' },
    changes: [
      { prettyPath: 'a', path: ['a'], action: 'changed', oldValue: 1, newValue: {} },
      { prettyPath: 'b', path: ['b'], action: 'changed', oldValue: null, newValue: {} },
      { prettyPath: 'c', path: ['c'], action: 'changed', oldValue: [], newValue: {} },
      { prettyPath: 'd', path: ['d'], action: 'changed', oldValue: {}, newValue: [] },
      { prettyPath: 'e', path: ['e'], action: 'changed', oldValue: {}, newValue: null },
      { prettyPath: 'f', path: ['f'], action: 'changed', oldValue: [1], newValue: 'x' },
    ],
  },
  {
    what: 'keys with dots and brackets',
    old: { tags: {} },
    now: { tags: { 'a.b': 1, 'c[0]': 2, '': 3, 'd.e': 4 } },
    changes: [
      { prettyPath: 'tags[a.b]', path: ['tags', 'a.b'], action: 'added', newValue: 1 },
      { prettyPath: 'tags[c\\[0\\]]', path: ['tags', 'c[0]'], action: 'added', newValue: 2 },
      { prettyPath: 'tags.', path: ['tags', ''], action: 'added', newValue: 3 },
      { prettyPath: 'tags[d.e]', path: ['tags', 'd.e'], action: 'added', newValue: 4 },
    ],
  },
  {
    what: 'below a key in brackets, and at the top',
    old: { 'x.y': 1, tags: { 'a.b': { c: 1 } } },
    now: { 'x.y': 2, tags: { 'a.b': { c: 2 } } },
    changes: [
      { prettyPath: '[x.y]', path: ['x.y'], action: 'changed', oldValue: 1, newValue: 2 },
      { prettyPath: 'tags[a.b].c', path: ['tags', 'a.b', 'c'], action: 'changed', oldValue: 1, newValue: 2 },
    ],
  },
  {
    what: 'an array’s elements, by value',
    old: { resolvers: ['a', 'b'] },
    now: { resolvers: ['c', 'b'] },
    changes: [
      { prettyPath: 'resolvers.*', path: ['resolvers', null], action: 'removed', oldValue: 'a' },
      { prettyPath: 'resolvers.*', path: ['resolvers', null], action: 'added', newValue: 'c' },
    ],
  },
  {
    what: 'another order',
    old: { resolvers: ['a', 'b'] },
    now: { resolvers: ['b', 'a'] },
    changes: [
      {
        prettyPath: 'resolvers',
        path: ['resolvers'],
        action: 'changed',
        oldValue: ['a', 'b'],
        newValue: ['b', 'a'],
      },
    ],
  },
  {
    what: 'another number of equal ones',
    old: { resolvers: ['a', 'a'] },
    now: { resolvers: ['a'] },
    changes: [
      {
        prettyPath: 'resolvers',
        path: ['resolvers'],
        action: 'changed',
        oldValue: ['a', 'a'],
        newValue: ['a'],
      },
    ],
  },
  {
    what: 'each new one, even of equal ones',
    old: { a: [] },
    now: { a: [1, 1] },
    changes: [
      { prettyPath: 'a.*', path: ['a', null], action: 'added', newValue: 1 },
      { prettyPath: 'a.*', path: ['a', null], action: 'added', newValue: 1 },
    ],
  },
  {
    what: 'elements that are objects are compared whole, whatever the order of their keys',
    old: { filesystems: [{ source: '/a', options: ['ro'] }, { source: '/b' }] },
    now: { filesystems: [{ options: ['rw'], source: '/a' }, { source: '/b' }] },
    changes: [
      {
        prettyPath: 'filesystems.*',
        path: ['filesystems', null],
        action: 'removed',
        oldValue: { source: '/a', options: ['ro'] },
      },
      {
        prettyPath: 'filesystems.*',
        path: ['filesystems', null],
        action: 'added',
        newValue: { options: ['rw'], source: '/a' },
      },
    ],
  },
  {
    what: 'an array in an object',
    old: { missing: { datasets: ['a'], disks: [] } },
    now: { missing: { datasets: [], disks: [] } },
    changes: [
      {
        prettyPath: 'missing.datasets.*',
        path: ['missing', 'datasets', null],
        action: 'removed',
        oldValue: 'a',
      },
    ],
  },
  {
    what: 'an array of arrays',
    old: { a: [[1, 2], [3]] },
    now: { a: [[2, 1], [3]] },
    changes: [
      { prettyPath: 'a.*', path: ['a', null], action: 'removed', oldValue: [1, 2] },
      { prettyPath: 'a.*', path: ['a', null], action: 'added', newValue: [2, 1] },
    ],
  },
  {
    what: 'the type of an element',
    old: { a: [1, null, true] },
    now: { a: ['1', 'null', 'true'] },
    changes: [
      { prettyPath: 'a.*', path: ['a', null], action: 'removed', oldValue: 1 },
      { prettyPath: 'a.*', path: ['a', null], action: 'removed', oldValue: null },
      { prettyPath: 'a.*', path: ['a', null], action: 'removed', oldValue: true },
      { prettyPath: 'a.*', path: ['a', null], action: 'added', newValue: '1' },
      { prettyPath: 'a.*', path: ['a', null], action: 'added', newValue: 'null' },
      { prettyPath: 'a.*', path: ['a', null], action: 'added', newValue: 'true' },
    ],
  },
  {
    what: 'disks pair up by path, nics by mac',
    old: { disks: [disk, { path: '/b' }], nics: [nic, { mac: '0:2' }] },
    now: {
      disks: [
        { path: '/b', missing: true },
        { ...disk, size: 20 },
      ],
      nics: [{ ...nic, ips: ['x'] }, { mac: '0:2' }],
    },
    changes: [
      {
        prettyPath: 'disks.*.size',
        path: ['disks', null, 'size'],
        action: 'changed',
        oldValue: 10,
        newValue: 20,
        ident: '/a',
      },
      {
        prettyPath: 'nics.*.ips.*',
        path: ['nics', null, 'ips', null],
        action: 'removed',
        oldValue: '10.0.0.1/24',
        ident: '0:1',
      },
      {
        prettyPath: 'disks.*.missing',
        path: ['disks', null, 'missing'],
        action: 'added',
        newValue: true,
        ident: '/b',
      },
      {
        prettyPath: 'nics.*.ips.*',
        path: ['nics', null, 'ips', null],
        action: 'added',
        newValue: 'x',
        ident: '0:1',
      },
    ],
  },
  {
    what: 'a disk without partner',
    old: { disks: [disk, { path: '/b' }] },
    now: { disks: [{ path: '/c' }, disk] },
    changes: [
      { prettyPath: 'disks.*', path: ['disks', null], action: 'removed', oldValue: { path: '/b' } },
      { prettyPath: 'disks.*', path: ['disks', null], action: 'added', newValue: { path: '/c' } },
    ],
  },
  {
    what: 'disks in another order',
    old: { disks: [disk, { path: '/b' }] },
    now: { disks: [{ path: '/b' }, disk] },
    changes: [
      {
        prettyPath: 'disks',
        path: ['disks'],
        action: 'changed',
        oldValue: [disk, { path: '/b' }],
        newValue: [{ path: '/b' }, disk],
      },
    ],
  },
  {
    what: 'all disks at once',
    old: {},
    now: { disks: [disk] },
    changes: [{ prettyPath: 'disks', path: ['disks'], action: 'added', newValue: [disk] }],
  },
  {
    what: 'nics that do not pair up: one MAC twice, none, or one that is no text',
    old: { nics: [{ mac: 'x', n: 1 }, { mac: 'x', n: 2 }, { n: 3 }, { mac: 5 }, 'odd'] },
    now: { nics: [{ mac: 'x', n: 1 }, { mac: 'x', n: 4 }, { n: 3 }, { mac: 6 }, 'odd'] },
    changes: [
      { prettyPath: 'nics.*', path: ['nics', null], action: 'removed', oldValue: { mac: 'x', n: 2 } },
      { prettyPath: 'nics.*', path: ['nics', null], action: 'removed', oldValue: { mac: 5 } },
      { prettyPath: 'nics.*', path: ['nics', null], action: 'added', newValue: { mac: 'x', n: 4 } },
      { prettyPath: 'nics.*', path: ['nics', null], action: 'added', newValue: { mac: 6 } },
    ],
  },
  {
    what: 'disks elsewhere than at the top are an array like any other',
    old: { missing: { disks: [disk] } },
    now: { missing: { disks: [{ ...disk, size: 20 }] } },
    changes: [
      { prettyPath: 'missing.disks.*', path: ['missing', 'disks', null], action: 'removed', oldValue: disk },
      {
        prettyPath: 'missing.disks.*',
        path: ['missing', 'disks', null],
        action: 'added',
        newValue: { ...disk, size: 20 },
      },
    ],
  },
  {
    what: 'names that every object inherits',
    old: { tags: parsed('{"__proto__":1,"toString":1}') },
    now: { tags: parsed('{"constructor":1,"hasOwnProperty":1}') },
    changes: [
      { prettyPath: 'tags.__proto__', path: ['tags', '__proto__'], action: 'removed', oldValue: 1 },
      { prettyPath: 'tags.toString', path: ['tags', 'toString'], action: 'removed', oldValue: 1 },
      { prettyPath: 'tags.constructor', path: ['tags', 'constructor'], action: 'added', newValue: 1 },
      { prettyPath: 'tags.hasOwnProperty', path: ['tags', 'hasOwnProperty'], action: 'added', newValue: 1 },
    ],
  },
  {
    what: 'inside of __proto__, in objects and in elements',
    old: { tags: parsed('{"__proto__":{"a":1}}'), list: [parsed('{"__proto__":1}')] },
    now: { tags: parsed('{"__proto__":{"a":2}}'), list: [{}] },
    changes: [
      {
        prettyPath: 'tags.__proto__.a',
        path: ['tags', '__proto__', 'a'],
        action: 'changed',
        oldValue: 1,
        newValue: 2,
      },
      { prettyPath: 'list.*', path: ['list', null], action: 'removed', oldValue: parsed('{"__proto__":1}') },
      { prettyPath: 'list.*', path: ['list', null], action: 'added', newValue: {} },
    ],
  },
];

for (const { what, old, now, changes } of cases) {
  void tap.test(what, (t) => {
    t.strictSame(changesOf(old, now), changes);
    t.strictSame(changesOf(old, old), []);
    t.strictSame(changesOf(now, structuredClone(now)), []);
    t.end();
  });
}

void tap.test('a change on the wire', (t) => {
  const changes = diff(aVm({ quota: 10, disks: [disk] }), aVm({ quota: 20, disks: [{ ...disk, size: 20 }] }));
  t.equal(
    JSON.stringify(changes),
    '[{"prettyPath":"quota","path":["quota"],"action":"changed","oldValue":10,"newValue":20},' +
      '{"prettyPath":"disks.*.size","path":["disks",null,"size"],"action":"changed","oldValue":10,"newValue":20,"ident":"/a"}]',
  );
  t.end();
});

void tap.test('changes applied to the old version give the new one', (t) => {
  const random = seeded(1);
  let withChanges = 0;
  for (let round = 0; round < 3_000; round++) {
    const old = randomVm(random);
    const now = randomVm(random);
    const changes = changesOf(old, now);
    if (changes.length > 0) withChanges++;

    const applied = apply(old, changes);
    if (unordered(applied) !== unordered(now)) {
      t.strictSame({ old, changes, applied }, { old, changes, applied: now }, `round ${round}`);
      break;
    }
    const isSame = canonical(old) === canonical(now);
    if (isSame !== (changes.length === 0)) t.fail(`a difference without a change in round ${round}`);

    const firstAdded = changes.findIndex(({ action }) => action === 'added');
    const late = firstAdded < 0 ? [] : changes.slice(firstAdded).filter(({ action }) => action !== 'added');
    if (late.length > 0) t.fail(`removed or changed after added in round ${round}`);
  }
  t.ok(withChanges > 2_000);
  t.end();
});

/** A number from 0 to below `limit`, always the same ones (mulberry32). */
type Random = (limit: number) => number;

function seeded(seed: number): Random {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

function randomVm(random: Random): JsonObject {
  const identified = (key: string) =>
    Array.from({ length: random(4) }, () => ({
      ...(random(8) > 0 && { [key]: `id${random(4)}` }),
      ...randomObject(random, 1),
    }));
  return {
    ...randomObject(random, 3),
    ...(random(4) > 0 && { disks: identified('path') }),
    ...(random(4) > 0 && { nics: identified('mac') }),
  };
}

function randomObject(random: Random, depth: number): JsonObject {
  const keys = ['a', 'b', 'a.b', '[c]', '__proto__', 'constructor'].filter(() => random(3) === 0);
  return Object.fromEntries(keys.map((key) => [key, randomValue(random, depth - 1)]));
}

function randomValue(random: Random, depth: number): JsonValue {
  const scalars: readonly JsonValue[] = [null, 0, 1, '1', true, ''];
  const kind = depth < 0 ? 2 : random(4);
  if (kind === 0) return randomObject(random, depth);
  if (kind === 1) return Array.from({ length: random(4) }, () => randomValue(random, depth - 1));
  return scalars[random(scalars.length)] ?? null;
}

void tap.test('elements that both versions share are compared by value with those that they do not', (t) => {
  const snapshots = Array.from({ length: 3_000 }, (_, n) => ({ name: `s${n}`, size: n }));
  const [first, second] = snapshots;
  const changed = (now: typeof snapshots) =>
    diff(aVm({ snapshots }), aVm({ snapshots: now })).map(({ action, path, oldValue, newValue }) => ({
      action,
      path,
      value: action === 'added' ? newValue : oldValue,
    }));
  const fresh = { name: 'new', size: 1 };
  const path = ['snapshots', null];
  t.strictSame(changed([fresh, ...snapshots]), [{ action: 'added', path, value: fresh }], 'in front');
  t.strictSame(changed([...snapshots, fresh]), [{ action: 'added', path, value: fresh }], 'at the end');
  t.strictSame(changed(snapshots.slice(1)), [{ action: 'removed', path, value: first }], 'one less');
  t.strictSame(
    changed([fresh, ...snapshots.slice(0, -1)]),
    [
      { action: 'removed', path, value: snapshots.at(-1) },
      { action: 'added', path, value: fresh },
    ],
    'one more, one less',
  );
  const copies = snapshots.slice(0, 10).map((each) => ({ ...each }));
  for (const doubled of [[{ ...second }], copies]) {
    const [change, ...others] = changed([...doubled, ...snapshots] as typeof snapshots);
    t.match(
      change,
      { action: 'changed', path: ['snapshots'] },
      `${doubled.length} equal to others: nothing is new`,
    );
    t.strictSame(others, []);
  }
  t.strictSame(changed(snapshots.map((each) => ({ ...each }))), [], 'equal ones are the same');
  t.end();
});
