import tap from 'tap';
import { parseSysevent } from '../../lib/host/sysevent.js';
import { historyEvents } from './captures.js';

const date = '2026-11-23T10:00:00.123Z';

/** A line of `sysevent -rj`. */
function aLine(event: object): string {
  return JSON.stringify({ date, type: 'event', vendor: 'sun.com', publisher: 'kernel', ...event });
}

function aHistoryLine(data: object | undefined): string {
  return aLine({ class: 'EC_zfs', subclass: 'ESC_ZFS_history_event', data });
}

void tap.test('lines', (t) => {
  const cases: [line: string, expected: object][] = [
    [`{"date":"${date}","type":"ready"}`, { type: 'ready' }],
    [
      aLine({
        class: 'status',
        subclass: 'change',
        data: { zonename: 'db', newstate: 'running', oldstate: 'ready', zoneid: 12, when: 1795428000123456 },
        channel: 'com.sun:zones:status',
      }),
      {
        type: 'zone',
        zonename: 'db',
        class: 'status',
        subclass: 'change',
        newstate: 'running',
        oldstate: 'ready',
      },
    ],
    [
      aLine({
        class: 'status',
        subclass: 'change',
        data: { zonename: 'db', newstate: '', oldstate: 'configured' },
      }),
      {
        type: 'zone',
        zonename: 'db',
        class: 'status',
        subclass: 'change',
        newstate: '',
        oldstate: 'configured',
      },
    ],
    [
      aLine({ class: 'init', subclass: 'restart', data: { restarts: 3, zonename: 'db', zoneid: 12 } }),
      { type: 'zone', zonename: 'db', class: 'init', subclass: 'restart' },
    ],
    [
      aLine({ class: 'status', subclass: 'ping' }),
      { type: 'ignored', why: 'status ping without a zonename' },
    ],
    [aLine({ class: 'status', subclass: 'change', data: {} }), { type: 'ignored' }],
    ...['global', '../etc', ''].map((zonename): [string, object] => [
      aLine({ class: 'status', subclass: 'change', data: { zonename } }),
      { type: 'ignored' },
    ]),
    [
      aHistoryLine({
        pool_name: 'zones',
        history_dsname: 'zones/db',
        history_internal_str: 'quota=21474836480',
        history_internal_name: 'set',
      }),
      { type: 'zfs', action: 'set', dataset: 'zones/db', detail: 'quota=21474836480', pool: 'zones' },
    ],
    [
      aHistoryLine({ history_dsname: 'tank/db@snap', history_internal_name: 'snapshot' }),
      { type: 'zfs', action: 'snapshot', dataset: 'tank/db@snap', detail: '', pool: 'tank' },
    ],
    [
      aHistoryLine({ pool_name: 'zones', history_internal_name: 'scan setup' }),
      { type: 'ignored', why: 'scan setup of a whole pool' },
    ],
    [aHistoryLine(undefined), { type: 'ignored', why: 'a history event without an action' }],
    [aLine({ class: 'EC_zfs', subclass: 'ESC_ZFS_vdev_remove', data: {} }), { type: 'ignored' }],
  ];
  for (const [line, expected] of cases) t.match(parseSysevent(line), expected, line);
  t.end();
});

void tap.test('integers of 64 bits, printed in full, are no obstacle', (t) => {
  const line = aHistoryLine({ pool_guid: 0, history_dsname: 'zones/db', history_internal_name: 'set' });
  t.match(parseSysevent(line.replace('"pool_guid":0', '"pool_guid":11461240681025472790')), { type: 'zfs' });
  t.end();
});

void tap.test('what sysevent would never print is an error', (t) => {
  const garbage = ['', 'Terminated', '{', '[]', 'null', '5', '{}', '{"type":"other"}', '{"type":"event"}'];
  for (const line of garbage) t.throws(() => parseSysevent(line), { name: 'SyseventError', line }, line);
  t.end();
});

void tap.test('every captured history event of real ZFS is read', (t) => {
  let poolWide = 0;
  const actions = new Set<string>();
  for (const { step, events } of historyEvents()) {
    for (const data of events) {
      const event = parseSysevent(aHistoryLine(data));
      if (data['history_dsname'] === undefined) {
        poolWide += 1;
        t.equal(event.type, 'ignored', step);
        continue;
      }
      t.match(
        event,
        {
          type: 'zfs',
          action: data['history_internal_name'],
          dataset: data['history_dsname'],
          detail: data['history_internal_str'],
          pool: 'zones',
        },
        step,
      );
      if (event.type === 'zfs') actions.add(event.action);
    }
  }
  t.ok(poolWide > 0);
  for (const action of [
    'create',
    'set',
    'inherit',
    'snapshot',
    'hold',
    'rename',
    'promote',
    'clone swap',
    'destroy',
  ]) {
    t.ok(actions.has(action), `${action} is among them`);
  }
  t.end();
});
