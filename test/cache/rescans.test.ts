import { pino } from 'pino';
import tap from 'tap';
import type { Occasion, RescanRequest } from '../../lib/cache/requests.js';
import type { Rescan } from '../../lib/cache/rescan.js';
import { Rescans } from '../../lib/cache/rescans.js';
import { VmStore, type Commit } from '../../lib/cache/vm-store.js';
import { rescanLog } from '../../lib/config.js';
import type { ListingName } from '../../lib/host/findings.js';
import { aVm } from '../vm/factories.js';

const info = 30;
const warn = 40;

function someRescans() {
  const lines: { level: number; msg: string; missed?: string[]; errors?: string[] }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const rescans = new Rescans(log);
  const done: Rescan[] = [];
  const begin = (overrides: Partial<RescanRequest> = {}) =>
    rescans.begin(
      {
        lane: 'rescan',
        scope: 'everything',
        reason: 'timer',
        noticedAt: undefined,
        waiters: [],
        ...overrides,
      },
      (rescan) => done.push(rescan),
    );
  return { lines, rescans, begin, done };
}

/** So many new VMs. */
function someCommits(count: number): Commit[] {
  const store = new VmStore();
  store.loaded();
  return Array.from({ length: count }, (_, index) => {
    const commit = store.put(aVm({ zonename: `zone-${index}` }));
    if (commit === undefined) throw new Error('a new VM is a commit');
    return commit;
  });
}

function aListing(rescan: Rescan, what: ListingName, error?: Error) {
  const occasion: Occasion = { noticedAt: undefined, waiters: [], rescan };
  const names = error === undefined ? new Set(['a', 'b', 'c']) : undefined;
  const errors = error === undefined ? [] : [error];
  return {
    type: 'listed',
    what,
    names,
    unreadable: new Set<string>(),
    errors,
    readAt: 1,
    occasion,
    ends: [],
  } as const;
}

void tap.test('a rescan is done when all that was asked for its sake is answered', (t) => {
  const { begin, done } = someRescans();
  const rescan = begin();
  rescan.began();
  rescan.began();
  rescan.ended();
  t.same(done, []);
  rescan.ended();
  t.same(done, [rescan]);
  t.end();
});

void tap.test('a rescan that finds nothing is one line', (t) => {
  const { lines, rescans, begin } = someRescans();
  const rescan = begin();
  rescans.listed(aListing(rescan, 'zoneadm list'));
  t.equal(rescans.end(rescan), 0);
  t.match(lines, [{ level: info, msg: /^rescan \(timer\): 3 zones, 0 datasets, .* took \d\.\d{3}s$/ }]);
  t.match(rescans.records, [{ reason: 'timer', found: [] }]);
  t.same(rescans.found, { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 });
  t.end();
});

void tap.test('what events missed is counted by source, warned of and on record', (t) => {
  const { lines, rescans, begin } = someRescans();
  const rescan = begin();
  someCommits(3).forEach((commit, index) => {
    rescan.finds(index < 2 ? 'zfs-events' : 'file-events', commit);
  });
  rescans.end(rescan);
  t.same(rescans.found, { 'zone-events': 0, 'zfs-events': 2, 'file-events': 1 });
  t.match(lines, [{ level: warn, missed: ['zfs-events: create zone-0', /zone-1/, /zone-2/] }]);
  t.match(rescans.records[0]?.found[0], { source: 'zfs-events', event: { zonename: 'zone-0' } });
  t.notOk(JSON.stringify(rescans.records[0]?.found).includes('customer_metadata'), 'without the VM itself');
  t.end();
});

void tap.test('what its source tells of is not found by the rescan that was a moment quicker', (t) => {
  const { rescans, begin } = someRescans();
  const [first, second, third] = someCommits(3);
  if (first === undefined || second === undefined || third === undefined) throw new Error('three commits');
  const rescan = begin();
  rescan.finds('zfs-events', first);
  rescan.finds('zfs-events', second);
  rescans.told('zfs-events', ['zone-0']);
  rescans.told('file-events', ['zone-1']);
  t.same(
    rescan.found.map(({ event }) => event.zonename),
    ['zone-1'],
    'told after it was found, by the source that should have',
  );
  const waiter = rescans.told('zfs-events', ['zone-2']);
  waiter.began();
  rescan.finds('zfs-events', third);
  t.equal(rescan.found.length, 1, 'told before, and not read yet');
  waiter.ended();
  rescan.finds('zfs-events', third);
  t.equal(rescan.found.length, 2, 'told before, and read');
  t.end();
});

void tap.test('what an event had a listing find was not missed', (t) => {
  const { lines, rescans, begin } = someRescans();
  const rescan = begin({ scope: 'datasets', reason: 'zones changed' });
  for (const commit of someCommits(1)) rescan.finds('zfs-events', commit);
  rescans.end(rescan);
  t.equal(rescans.found['zfs-events'], 0);
  t.equal(lines[0]?.level, info);
  t.equal(rescans.records[0]?.found.length, 1);
  t.end();
});

void tap.test(
  'without zoneadm or zfs a rescan is to be done again, and each scope counts its own failures',
  (t) => {
    const { lines, rescans, begin } = someRescans();
    for (const [what, failures] of [
      ['kstat', 0],
      ['zoneadm list', 1],
      ['zfs list', 2],
    ] as const) {
      const rescan = begin();
      rescans.listed(aListing(rescan, what, new Error(`no ${what}`)));
      t.equal(rescans.end(rescan), failures, what);
    }
    t.match(lines[0], { level: warn, errors: ['no kstat'] });
    t.equal(rescans.end(begin({ scope: 'datasets' })), 0, 'a good one of datasets');
    const again = begin();
    rescans.listed(aListing(again, 'zfs list', new Error('no zfs list')));
    t.equal(rescans.end(again), 3, 'does not end the failures of the other');
    t.equal(rescans.failures.at(-1)?.error, 'no zfs list');
    t.end();
  },
);

void tap.test('it says what is awaited, and why it is awaited once more', (t) => {
  const { rescans, begin } = someRescans();
  t.same(rescans.awaiting(), ['sources'], 'nothing was begun');
  const rescan = begin();
  rescan.began();
  t.same(rescans.awaiting(), ['zfs list', 'zoneadm list', 'kstat']);
  rescans.listed(aListing(rescan, 'zfs list', new Error('no pool')));
  rescans.listed(aListing(rescan, 'zoneadm list'));
  rescans.listed(aListing(rescan, 'kstat'));
  t.same(rescans.awaiting(), ['zfs list, which failed and is tried again: no pool']);
  rescans.listed(aListing(rescan, 'zfs list'));
  t.same(rescans.awaiting(), ['1 readings of zones and datasets']);
  t.end();
});

void tap.test('records, failures and what they hold are bounded', (t) => {
  const { rescans, begin } = someRescans();
  const commits = someCommits(rescanLog.maxFound + 5);
  for (let index = 0; index < rescanLog.maxRecords + 3; index++) {
    const rescan = begin({ reason: `${index}` });
    for (const commit of commits) rescan.finds('zone-events', commit);
    rescans.listed(aListing(rescan, 'kstat', new Error(`failure ${index}`)));
    rescans.end(rescan);
  }
  t.equal(rescans.records.length, rescanLog.maxRecords);
  t.equal(rescans.records[0]?.reason, '3', 'the oldest went first');
  t.equal(rescans.records[0]?.found.length, rescanLog.maxFound);
  t.equal(rescans.failures.length, rescanLog.maxFailures);
  t.end();
});
