import tap from 'tap';
import { ZoneTable } from '../../lib/cache/zone-table.js';
import type { Reading, ZoneReadings } from '../../lib/host/read-zone.js';
import type { ZoneRecord } from '../../lib/vm/inputs.js';
import { aLookup, someInputs } from '../vm/factories.js';

const { record: aRecord, xml } = someInputs();

function read<T>(value: T, version?: string): Reading<T> {
  return { type: 'read', value, version };
}

/** What a reading of a zone gave. */
function aReading(record: Partial<ZoneRecord> = {}): ZoneReadings {
  return { record: read({ ...aRecord, ...record }), xml: read(xml, 'one') };
}

function tags(role: string, version?: string): ZoneReadings {
  return { tags: read({ value: { role }, mtimeMs: 1 }, version) };
}

/** A table in which zone `a` was read whole at 1. */
function aTable() {
  const table = new ZoneTable();
  const zone = table.add('a', 1);
  if (zone === undefined) throw new Error('a new zone is taken');
  table.take(zone, aReading(), 1);
  return { table, zone, roleOf: () => table.inputs(zone, {}, aLookup([]))?.tags?.value['role'] };
}

void tap.test('a zone is complete with its record and its XML', (t) => {
  const table = new ZoneTable();
  const zone = table.add('a', 1);
  t.ok(zone);
  if (zone === undefined) return;
  t.same(table.take(zone, { record: read(aRecord) }, 2).changed, ['record']);
  t.equal(table.inputs(zone, {}, aLookup([])), undefined);
  t.same(table.take(zone, { xml: read(xml) }, 3).changed, ['xml']);
  t.match(table.inputs(zone, { UUID: 'x' }, aLookup([])), { record: aRecord, xml, sysinfo: { UUID: 'x' } });
  t.same([...table.names()], ['a']);
  t.end();
});

void tap.test('older never replaces newer, each input by itself; what differs is to be read again', (t) => {
  const { table, zone, roleOf } = aTable();
  table.take(zone, tags('new'), 5);
  t.same(table.take(zone, { ...aReading({ state: 'down' }), ...tags('old') }, 4), {
    changed: ['record'],
    outdated: ['tags'],
  });
  t.equal(roleOf(), 'new');
  t.equal(table.get('a')?.known.record?.value?.state, 'down');
  t.same(table.take(zone, tags('same moment'), 5).changed, ['tags']);
  t.end();
});

void tap.test('an older reading of the same says nothing new', (t) => {
  const { table, zone } = aTable();
  table.take(zone, aReading(), 5);
  t.same(table.take(zone, aReading(), 4), { changed: [], outdated: [] });
  t.end();
});

void tap.test('take tells which inputs are others than before', (t) => {
  const { table, zone } = aTable();
  table.take(zone, { kstat: read(undefined) }, 1);
  t.same(table.take(zone, { ...aReading(), kstat: read(undefined) }, 2).changed, [], 'the same');
  t.same(table.take(zone, aReading({ zoneid: null }), 3).changed, ['record']);
  const kstat = { zonename: 'a', zoneid: 1, initPid: 2, initRestarts: 0, bootTime: 3 };
  t.same(table.take(zone, { kstat: read(kstat) }, 4).changed, ['kstat']);
  t.same(table.take(zone, { kstat: read(undefined) }, 5).changed, ['kstat'], 'gone');
  t.end();
});

void tap.test(
  'what could not be read keeps the last good value, and so does a file that is as it was',
  (t) => {
    const { table, zone, roleOf } = aTable();
    table.take(zone, tags('db', 'v1'), 2);
    t.same(table.take(zone, { tags: { type: 'failed', error: new Error('bad') } }, 3).changed, []);
    t.equal(roleOf(), 'db');
    t.same(table.take(zone, { tags: { type: 'unchanged' } }, 4).changed, []);
    t.equal(zone.known.tags?.readAt, 4, 'it was looked at');
    t.equal(zone.known.tags?.version, 'v1');
    t.same(table.take(zone, tags('db', 'v1'), 5).changed, [], 'the same version is the same value');
    t.end();
  },
);

void tap.test('a zone that was removed does not come back with what was read before', (t) => {
  const { table } = aTable();
  t.ok(table.remove('a', 5));
  t.equal(table.add('a', 4), undefined, 'read before');
  t.notOk(table.get('a'));
  t.ok(table.add('a', 6), 'it is there again');
  t.end();
});

void tap.test('a zone that was read after it was seen gone stays', (t) => {
  const { table, zone } = aTable();
  table.take(zone, aReading(), 6);
  t.notOk(table.remove('a', 5));
  t.ok(table.get('a'));
  t.end();
});

void tap.test('which zones were removed is remembered until it is pruned', (t) => {
  const table = new ZoneTable();
  table.remove('a', 5);
  table.prune(5);
  t.equal(table.add('a', 4), undefined);
  table.prune(6);
  t.ok(table.add('a', 4));
  t.end();
});
