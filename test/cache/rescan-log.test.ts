import { pino } from 'pino';
import tap from 'tap';
import { createRescanLog } from '../../lib/cache/rescan-log.js';
import type { Found, RescanReport } from '../../lib/cache/rescan-report.js';
import { createVmStore } from '../../lib/cache/vm-store.js';
import { rescanLog } from '../../lib/config.js';
import { aVm } from '../vm/factories.js';

function aReport(overrides: Partial<RescanReport> = {}): RescanReport {
  return {
    scope: 'everything',
    zones: 3,
    datasets: 7,
    found: [],
    errors: [],
    complete: true,
    again: [],
    ...overrides,
  };
}

/** That a rescan found so many new VMs. */
function someFound(count: number, source: Found['source']): Found[] {
  const store = createVmStore();
  return Array.from({ length: count }, (_, index) => {
    const commit = store.put(aVm({ zonename: `zone-${index}` }));
    if (commit === undefined) throw new Error('a new VM is a commit');
    return { source, commit };
  });
}

function aLog() {
  const lines: { level: number; msg: string; missed?: string[]; errors?: string[] }[] = [];
  const log = pino({}, { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  return { lines, rescans: createRescanLog(log) };
}

const info = 30;
const warn = 40;

void tap.test('a rescan that finds nothing is one line', (t) => {
  const { lines, rescans } = aLog();
  rescans.add('timer', new Date(Date.now() - 1_500), aReport());
  t.match(lines, [{ level: info, msg: /^rescan \(timer\): 3 zones, 7 datasets, .* took 1\.\d{3}s$/ }]);
  t.match(rescans.records, [{ reason: 'timer', found: [] }]);
  t.same(rescans.found, { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 });
  t.end();
});

void tap.test('what events missed is counted by source, warned of and on record', (t) => {
  const { lines, rescans } = aLog();
  rescans.add(
    'timer',
    new Date(),
    aReport({ found: [...someFound(2, 'zfs-events'), ...someFound(1, 'file-events')] }),
  );
  t.same(rescans.found, { 'zone-events': 0, 'zfs-events': 2, 'file-events': 1 });
  t.equal(lines[0]?.level, warn);
  t.equal(lines[0]?.missed?.[0], 'zfs-events: create zone-0');
  t.match(rescans.records[0]?.found[0], {
    source: 'zfs-events',
    event: { type: 'create', zonename: 'zone-0' },
  });
  t.notOk(JSON.stringify(rescans.records).includes('customer_metadata'), 'without the VM itself');
  t.end();
});

void tap.test('what an event had a listing find was not missed', (t) => {
  const { lines, rescans } = aLog();
  rescans.add('zones changed', new Date(), aReport({ scope: 'datasets', found: someFound(1, 'zfs-events') }));
  t.equal(rescans.found['zfs-events'], 0);
  t.equal(lines[0]?.level, info);
  t.equal(rescans.records[0]?.found.length, 1);
  t.end();
});

void tap.test('errors are warned of and the last are on record', (t) => {
  const { lines, rescans } = aLog();
  for (let index = 0; index < rescanLog.maxFailures + 2; index++)
    rescans.add('timer', new Date(), aReport({ errors: [new Error(`failure ${index}`)], complete: false }));
  t.match(lines[0], { level: warn, errors: ['failure 0'] });
  t.equal(rescans.failures.length, rescanLog.maxFailures);
  t.equal(rescans.failures.at(-1)?.error, `failure ${rescanLog.maxFailures + 1}`);
  t.end();
});

void tap.test('records and what they hold are bounded', (t) => {
  const { rescans } = aLog();
  const found = someFound(rescanLog.maxFound + 5, 'zone-events');
  for (let index = 0; index < rescanLog.maxRecords + 3; index++)
    rescans.add(`${index}`, new Date(), aReport({ found }));
  t.equal(rescans.records.length, rescanLog.maxRecords);
  t.equal(rescans.records[0]?.reason, '3', 'the oldest went first');
  t.equal(rescans.records[0]?.found.length, rescanLog.maxFound);
  t.end();
});
