/** What each zone sysevent makes stale, from the line that sysevent(8) prints. */
import tap from 'tap';
import { parseSysevent } from '../../lib/host/sysevent.js';
import { zoneInvalidation } from '../../lib/sources/zone-events.js';

function fromLine(event: object) {
  const sysevent = parseSysevent(JSON.stringify({ type: 'event', ...event }));
  return sysevent.type === 'ignored' ? undefined : zoneInvalidation(sysevent);
}

const inputs = ['record', 'xml', 'kstat', 'lastexited'];

void tap.test('class status: the zone, and the state to wait for', (t) => {
  const states: readonly [oldstate: string, newstate: string][] = [
    ['uninitialized', 'initialized'],
    ['initialized', 'ready'],
    ['ready', 'running'],
    ['running', 'running'],
    ['running', 'shutting_down'],
    ['shutting_down', 'free'],
    ['', 'configured'],
    ['configured', 'incomplete'],
    ['incomplete', 'installed'],
    ['configured', ''],
  ];
  for (const [oldstate, newstate] of states) {
    const data = { zonename: 'a', oldstate, newstate, zoneid: 1 };
    t.same(
      fromLine({ class: 'status', subclass: 'change', data }),
      { type: 'zone', source: 'zone-events', zonename: 'a', inputs, newstate, zoneid: 1 },
      `'${oldstate}' → '${newstate}'`,
    );
  }
  t.end();
});

void tap.test('init/restart: the zone, and no state to wait for', (t) => {
  const data = { restarts: 3, zonename: 'a', zoneid: 12 };
  const invalidation = { type: 'zone', source: 'zone-events', zonename: 'a', inputs, zoneid: 12 };
  t.same(fromLine({ class: 'init', subclass: 'restart', data }), invalidation);
  t.end();
});

void tap.test('an event of zonecfg is about no kernel instance', (t) => {
  const data = { zonename: 'a', oldstate: '', newstate: 'configured', zoneid: -1 };
  t.notOk('zoneid' in (fromLine({ class: 'status', subclass: 'change', data }) ?? {}));
  t.end();
});

void tap.test('a subscription that has become live: everything, for what was said before is lost', (t) => {
  t.same(zoneInvalidation({ type: 'ready' }), { type: 'everything', reason: 'zone-events ready' });
  t.end();
});

void tap.test('ping, the global zone and an event without data: nothing', (t) => {
  t.equal(fromLine({ class: 'status', subclass: 'ping', data: {} }), undefined);
  t.equal(fromLine({ class: 'status', subclass: 'change', data: { zonename: 'global' } }), undefined);
  t.equal(fromLine({ class: 'status', subclass: 'change' }), undefined);
  t.end();
});
