import tap from 'tap';
import type { Key } from '../../../lib/cli/top/keys.js';
import type { TopModel } from '../../../lib/cli/top/model.js';
import { shownVms } from '../../../lib/cli/top/rows.js';
import { keysOf } from '../../../lib/cli/top/terminal-keys.js';
import { update, withHistory } from '../../../lib/cli/top/update.js';
import { diff } from '../../../lib/vm/diff.js';
import type { VmEvent } from '../../../lib/vm/event.js';
import type { VmObject } from '../../../lib/vm/vm-object.js';
import { aVm, uuids } from '../../client/a-vm.js';
import { aModel, now } from './a-model.js';

const web = aVm({ zonename: uuids.web, alias: 'web', state: 'running', quota: 10 });
const db = aVm({ zonename: uuids.db, alias: 'db', state: 'stopped', quota: 30 });
const cache = aVm({ zonename: uuids.cache, alias: 'cache', state: 'running', quota: 20 });
const all = [web, db, cache];

function press(model: TopModel, text: string): TopModel {
  const keys = Array.from(text).flatMap((each) => keysOf(each, each === '\r' ? { name: 'return' } : {}));
  return keys.reduce((before, key) => update(before, { type: 'key', key: key as Key }, now), model);
}

function key(model: TopModel, ...names: readonly Key['name'][]): TopModel {
  return names.reduce((before, name) => update(before, { type: 'key', key: { name, text: '' } }, now), model);
}

function modify(old: VmObject, properties: Partial<VmObject>, seconds = 0): VmEvent {
  const vm = { ...old, ...properties };
  const date = new Date(now + seconds * 1000).toISOString();
  return { type: 'modify', date, zonename: vm.zonename, uuid: vm.uuid, vm, changes: diff(old, vm) };
}

const aliases = (model: TopModel) => shownVms(model).map(({ alias }) => alias);

for (const [typed, expected] of [
  ['', ['cache', 'db', 'web']],
  ['s', ['web', 'db', 'cache']],
  ['r', ['web', 'db', 'cache']],
  ['ssss', ['web', 'cache', 'db']],
  ['ssssr', ['db', 'cache', 'web']],
  ['S', ['web', 'db', 'cache']],
  ['/we', ['web']],
  ['/state=running', ['cache', 'web']],
  ['/quota>=20 ca', ['cache']],
  ['/alias~^d\r', ['db']],
  ['/nothing', []],
] as const) {
  void tap.test(`typing ${JSON.stringify(typed)}`, (t) => {
    if (typed === 's' || typed === 'S') t.equal(aliases(press(aModel(all), typed)).length, 3);
    else t.strictSame(aliases(press(aModel(all), typed)), expected);
    t.end();
  });
}

void tap.test('a condition that is none is told, one that is not finished is not; neither counts', (t) => {
  const typed = press(aModel(all), '/state=running ');
  t.strictSame(aliases(press(typed, 'quota=')), ['cache', 'web']);
  const broken = press(typed, 'colour=b');
  t.match(broken.filter.problem, /unknown property: colour/);
  t.strictSame(aliases(broken), ['cache', 'web']);
  t.strictSame(aliases(key(broken, 'escape')), ['cache', 'db', 'web']);
  t.end();
});

void tap.test('the cursor stays on its VM, whatever happens to the order', (t) => {
  const on = key(aModel(all), 'down', 'down');
  t.equal(on.selected, uuids.db);
  const sorted = press(on, 'ssssr');
  t.equal(sorted.selected, uuids.db);
  t.equal(key(on, 'home').selected, uuids.cache);
  t.equal(key(on, 'end', 'down').selected, uuids.web);
  t.end();
});

void tap.test('a cursor below the screen scrolls the table, and up again', (t) => {
  const many = Array.from({ length: 100 }, (_, index) =>
    aVm({
      zonename: `zone-${String(index).padStart(3, '0')}`,
      alias: `vm-${String(index).padStart(3, '0')}`,
    }),
  );
  const end = key(aModel(many), 'end');
  t.equal(end.selected, 'zone-099');
  t.equal(end.scroll, 87);
  t.equal(key(end, 'pageUp', 'pageUp').scroll, 73);
  t.equal(key(end, 'home').scroll, 0);
  t.end();
});

void tap.test('events change VMs, mark them and are listed, the newest first', (t) => {
  const model = update(
    aModel(all),
    { type: 'events', events: [modify(web, { quota: 20 }), modify(db, { state: 'running' }, 1)] },
    now + 1000,
  );
  t.equal(model.vms.get(uuids.web)?.quota, 20);
  t.strictSame(
    model.entries.map(({ alias, text }) => [alias, text]),
    [
      ['db', 'started'],
      ['web', 'quota 10 -> 20 GiB'],
    ],
  );
  t.equal(model.changed.get(uuids.web)?.text, 'quota 10 -> 20 GiB');
  t.equal(model.eventTimes.length, 2);
  t.equal(update(model, { type: 'tick' }, now + 62_000).eventTimes.length, 0);
  const { zonename, uuid } = db;
  const date = new Date(now).toISOString();
  const gone = update(model, { type: 'events', events: [{ type: 'delete', date, zonename, uuid }] }, now);
  t.strictSame(aliases(gone), ['cache', 'web']);
  t.match(gone.entries[0], { alias: 'db', text: 'deleted' });
  t.end();
});

void tap.test('in the fleet, a VM on two hosts is two rows, each with its own changes', (t) => {
  const at = (server_uuid: string, state: string) => ({
    ...aVm({ zonename: uuids.web, alias: 'web', state, server_uuid }),
    datacenter: 'emy-17',
  });
  const [here, there] = [at('here', 'running'), at('there', 'stopped')];
  const started = at('there', 'running');
  const events = [{ ...modify(there, started), datacenter: 'emy-17', server_uuid: 'there' }];
  const model = update(aModel([here, there, db]), { type: 'events', events }, now);
  t.strictSame(aliases(model), ['db', 'web', 'web']);
  t.strictSame([...model.changed.keys()], ['emy-17/there/' + uuids.web]);

  const { zonename, uuid } = here;
  const place = { datacenter: 'emy-17', server_uuid: 'here' };
  const left = { type: 'delete' as const, date: new Date(now).toISOString(), zonename, uuid, ...place };
  t.strictSame(aliases(update(model, { type: 'events', events: [left] }, now)), ['db', 'web']);
  t.end();
});

void tap.test('q quits, except where one types', (t) => {
  t.equal(press(aModel(all), 'q').quit, true);
  const typing = press(aModel(all), '/q');
  t.equal(typing.quit, false);
  t.equal(typing.filter.text, 'q');
  t.end();
});

void tap.test('keys of the terminal', (t) => {
  t.strictSame(keysOf('\u0003', { name: 'c', ctrl: true }), [{ name: 'interrupt' }]);
  t.strictSame(keysOf('\u001a', { name: 'z', ctrl: true }), [{ name: 'suspend' }]);
  t.strictSame(keysOf(undefined, { name: 'pagedown' }), [{ name: 'pageDown', text: '' }]);
  t.strictSame(keysOf('a', { name: 'a' }), [{ name: 'text', text: 'a' }]);
  t.strictSame(keysOf('\r', { name: 'return' }), [{ name: 'enter', text: '' }]);
  t.strictSame(keysOf('\u0007', {}), []);
  t.end();
});

void tap.test('it begins with what has happened lately', (t) => {
  const at = (seconds: number) => new Date(now - seconds * 1000).toISOString();
  const quota = (seq: number, oldValue: number, seconds: number) => ({
    ...{
      type: 'modify' as const,
      date: at(seconds),
      zonename: uuids.web,
      uuid: uuids.web,
      seq,
      alias: 'web',
    },
    changes: [
      { prettyPath: 'quota', path: ['quota'], action: 'changed' as const, oldValue, newValue: oldValue + 1 },
      { prettyPath: 'last_modified', path: ['last_modified'], action: 'changed' as const },
    ],
  });
  const gone = { type: 'delete' as const, date: at(5), zonename: 'gone', uuid: 'gone', seq: 3 };
  const model = withHistory(aModel(all), [gone, quota(2, 11, 30), quota(1, 10, 90)]);
  t.match(model.entries, [
    { alias: 'gone', text: 'deleted', at: now - 5_000 },
    { alias: 'web', text: 'quota 11 -> 12 GiB' },
    { alias: 'web', text: 'quota 10 -> 11 GiB' },
  ]);
  t.equal(model.entries.length, 3, 'what only follows is left out');
  t.strictSame(
    [...model.changed].map(([zonename, { text }]) => [zonename, text]),
    [[uuids.web, 'quota 11 -> 12 GiB']],
  );
  t.strictSame(model.eventTimes, [now - 30_000, now - 5_000], 'those of the last minute');
  const later = update(model, { type: 'events', events: [modify(web, { quota: 40 })] }, now);
  t.match(later.entries[0], { text: 'quota 10 -> 40 GiB' });
  t.end();
});
