import tap from 'tap';
import {
  ChangeTally,
  matchesEvent,
  type EventMatch,
  type WantedChange,
  type WantedChanges,
} from '../../lib/client/matching.js';
import type { Change } from '../../lib/vm/diff.js';
import { prettyPath, type Path } from '../../lib/vm/path.js';
import { aVm, uuids } from './a-vm.js';

function changed(path: Path, oldValue: Change['oldValue'], newValue: Change['newValue']): Change {
  const action = oldValue === undefined ? 'added' : newValue === undefined ? 'removed' : 'changed';
  return {
    prettyPath: prettyPath(path),
    path,
    action,
    ...(oldValue !== undefined && { oldValue }),
    ...(newValue !== undefined && { newValue }),
  };
}

const quota = changed(['quota'], 10, 20);
const disk = changed(['disks', null, 'size'], 1024, 2048);
const tag = changed(['tags', 'role'], undefined, 'db');

const tallies: { name: string; wanted: WantedChanges; seen: Change[]; done: boolean }[] = [
  { name: 'by path', wanted: { path: ['quota'] }, seen: [quota], done: true },
  { name: 'another path', wanted: { path: ['quota'] }, seen: [tag], done: false },
  { name: 'a path is whole', wanted: { path: ['tags'] }, seen: [tag], done: false },
  { name: 'by new value', wanted: { path: ['quota'], newValue: 20 }, seen: [quota], done: true },
  { name: 'types count', wanted: { path: ['quota'], newValue: '20' }, seen: [quota], done: false },
  { name: 'by old value', wanted: { path: ['quota'], oldValue: 10 }, seen: [quota], done: true },
  { name: 'another old value', wanted: { path: ['quota'], oldValue: 11 }, seen: [quota], done: false },
  { name: 'by action', wanted: { path: ['tags', 'role'], action: 'added' }, seen: [tag], done: true },
  { name: 'another action', wanted: { path: ['tags', 'role'], action: 'removed' }, seen: [tag], done: false },
  {
    name: 'an object as value',
    wanted: { path: ['a'], newValue: { x: [1] } },
    seen: [changed(['a'], null, { x: [1] })],
    done: true,
  },
  { name: 'null matches null', wanted: { path: ['disks', null, 'size'] }, seen: [disk], done: true },
  { name: 'null matches any key', wanted: { path: ['tags', null] }, seen: [tag], done: true },
  { name: 'a key does not match null', wanted: { path: ['disks', '0', 'size'] }, seen: [disk], done: false },
  {
    name: 'all of several',
    wanted: [{ path: ['quota'] }, { path: ['tags', 'role'] }],
    seen: [tag, quota],
    done: true,
  },
  {
    name: 'not all of several',
    wanted: [{ path: ['quota'] }, { path: ['tags', 'role'] }],
    seen: [tag],
    done: false,
  },
  {
    name: 'one of the alternatives',
    wanted: [[{ path: ['ram'] }, { path: ['quota'] }]],
    seen: [quota],
    done: true,
  },
  {
    name: 'none of the alternatives',
    wanted: [[{ path: ['ram'] }, { path: ['vcpus'] }]],
    seen: [quota],
    done: false,
  },
  { name: 'nothing', wanted: [], seen: [], done: true },
  {
    name: 'a seen change satisfies at most one',
    wanted: [{ path: ['quota'] }, { path: ['quota'] }],
    seen: [quota],
    done: false,
  },
  {
    name: 'alternatives are satisfied once',
    wanted: [[{ path: ['quota'] }, { path: ['tags', 'role'] }], { path: ['tags', 'role'] }],
    seen: [quota, tag],
    done: true,
  },
  {
    name: 'a change that fits two makes room for one that fits only one of them',
    wanted: [{ path: ['quota'] }, { path: ['quota'], newValue: 20 }],
    seen: [quota, changed(['quota'], 20, 30)],
    done: true,
  },
  {
    name: 'the other way round too',
    wanted: [{ path: ['quota'], newValue: 20 }, { path: ['quota'] }],
    seen: [quota, changed(['quota'], 20, 30)],
    done: true,
  },
];
for (const { name, wanted, seen, done } of tallies) {
  void tap.test(`wanted changes: ${name}`, (t) => {
    t.equal(new ChangeTally(wanted).add(seen), done, 'in one event');
    const tally = new ChangeTally(wanted);
    t.equal(seen.map((change) => tally.add([change])).at(-1) ?? tally.add([]), done, 'in an event each');
    t.end();
  });
}

void tap.test('the tally is as good as trying every assignment', (t) => {
  const values = [1, 2, 3];
  const choices: WantedChange[] = [{ path: ['x'] }, ...values.map((newValue) => ({ path: ['x'], newValue }))];
  for (const a of choices) {
    for (const b of choices) {
      for (const c of choices) {
        for (let code = 0; code < 27; code++) {
          const seen = [code % 3, Math.floor(code / 3) % 3, Math.floor(code / 9)];
          const changes = seen.map((index) => changed(['x'], 0, values[index]));
          const possible = permutations(seen.map((index) => values[index])).some((order) =>
            [a, b, c].every(({ newValue }, index) => newValue === undefined || newValue === order[index]),
          );
          if (new ChangeTally([a, b, c]).add(changes) !== possible) t.fail(JSON.stringify({ a, b, c, seen }));
        }
      }
    }
  }
  t.end();
});

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]),
  );
}

const event = {
  type: 'modify',
  date: '2026-11-23T10:00:00.000Z',
  zonename: uuids.web,
  uuid: uuids.web,
  vm: aVm({ tags: { role: 'db', env: 'test' }, resolvers: ['1.1.1.1', '8.8.8.8'] }),
  changes: [quota],
} as const;
const matches: { match: EventMatch; expected: boolean }[] = [
  { match: {}, expected: true },
  { match: { zonename: uuids.web }, expected: true },
  { match: { zonename: uuids.db }, expected: false },
  { match: { type: 'modify', vm: { state: 'running' } }, expected: true },
  { match: { type: 'create' }, expected: false },
  { match: { vm: { state: 'stopped' } }, expected: false },
  { match: { vm: { quota: 10, tags: { role: 'db' } } }, expected: true },
  { match: { vm: { tags: { role: 'web' } } }, expected: false },
  { match: { vm: { tags: { none: 'x' } } }, expected: false },
  { match: { vm: { resolvers: ['1.1.1.1', '8.8.8.8'] } }, expected: true },
  { match: { vm: { resolvers: ['1.1.1.1'] } }, expected: false },
  { match: { vm: { alias: 'web', zoneid: null } }, expected: false },
];
void tap.test('an event matches when every key has the same value, deeply', (t) => {
  for (const { match, expected } of matches)
    t.equal(matchesEvent(match, event), expected, JSON.stringify(match));
  t.end();
});
