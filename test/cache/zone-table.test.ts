import tap from 'tap';
import { ZoneTable, type Readings } from '../../lib/cache/zone-table.js';
import type { ZoneRecord } from '../../lib/vm/inputs.js';
import { aLookup, someInputs } from '../vm/factories.js';

const { record: aRecord, xml } = someInputs();

/** What a reading of a whole zone that began then gave. */
function aReading(readAt: number, record: Partial<ZoneRecord> = {}): Readings {
  return { record: { value: { ...aRecord, ...record }, readAt }, xml: { value: xml, readAt } };
}

function tags(role: string, readAt: number): Readings {
  return { tags: { value: { value: { role }, mtimeMs: readAt }, readAt } };
}

function roleOf(table: ZoneTable): unknown {
  return table.inputs('a', {}, aLookup([]))?.tags?.value['role'];
}

void tap.test('a zone comes with its record, and is complete with its XML', (t) => {
  const table = new ZoneTable();
  t.same(table.apply('a', tags('db', 1)), [], 'files alone make no zone');
  t.notOk(table.has('a'));
  t.same(table.apply('a', { record: { value: aRecord, readAt: 2 } }), ['record']);
  t.equal(table.inputs('a', {}, aLookup([])), undefined);
  t.same(table.apply('a', { xml: { value: xml, readAt: 3 } }), ['xml']);
  t.match(table.inputs('a', { UUID: 'x' }, aLookup([])), { record: aRecord, xml, sysinfo: { UUID: 'x' } });
  t.same([...table.names()], ['a']);
  t.end();
});

void tap.test('older never replaces newer', (t) => {
  const table = new ZoneTable();
  table.apply('a', aReading(1));
  table.apply('a', tags('new', 5));
  t.same(table.apply('a', { ...aReading(4, { state: 'down' }), ...tags('old', 4) }), ['record']);
  t.equal(roleOf(table), 'new');
  t.equal(table.record('a')?.state, 'down', 'each input by itself');
  t.same(table.apply('a', tags('same moment', 5)), ['tags']);
  t.end();
});

void tap.test('apply tells which inputs are others than before', (t) => {
  const table = new ZoneTable();
  table.apply('a', { ...aReading(1), kstat: { value: undefined, readAt: 1 } });
  const again = { ...aReading(2), kstat: { value: undefined, readAt: 2 } };
  t.same(table.apply('a', again), [], 'the same');
  t.same(table.apply('a', aReading(3, { zoneid: null })), ['record']);
  const kstat = { zonename: 'a', zoneid: 1, initPid: 2, initRestarts: 0, bootTime: 3 };
  t.same(table.apply('a', { kstat: { value: kstat, readAt: 4 } }), ['kstat']);
  t.same(table.apply('a', { kstat: { value: undefined, readAt: 5 } }), ['kstat'], 'gone');
  t.end();
});

void tap.test('a zone that was removed does not come back with what was read before', (t) => {
  const table = new ZoneTable();
  table.apply('a', aReading(1));
  t.ok(table.remove('a', 5));
  t.same(table.apply('a', aReading(4)), [], 'read before');
  t.notOk(table.has('a'));
  t.same(table.apply('a', tags('db', 6)), [], 'nor with a file alone');
  t.same(table.apply('a', aReading(6)), ['record', 'xml'], 'it is there again');
  t.end();
});

void tap.test('a zone that was read after it was seen gone stays', (t) => {
  const table = new ZoneTable();
  table.apply('a', aReading(6));
  t.notOk(table.remove('a', 5));
  t.ok(table.has('a'));
  t.notOk(table.remove('b', 5), 'one that was never there');
  t.end();
});

void tap.test('which zones were removed is remembered until it is pruned', (t) => {
  const table = new ZoneTable();
  table.remove('a', 5);
  table.pruneRemoved(5);
  t.same(table.apply('a', aReading(4)), []);
  table.pruneRemoved(6);
  t.same(table.apply('a', aReading(4)), ['record', 'xml']);
  t.end();
});
