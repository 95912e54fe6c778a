/** What is read because of an invalidation: the right-hand column of the first table of events.md, row by row. */
import { pino } from 'pino';
import { Subject } from 'rxjs';
import tap from 'tap';
import { HostState } from '../../lib/cache/host-state.js';
import {
  mergeRescanRequests,
  mergeZoneRequests,
  requestsFor,
  type Request,
} from '../../lib/cache/requests.js';
import { createVmStore } from '../../lib/cache/vm-store.js';
import { fileInputs, zoneInputs, type Invalidation, type ZoneInput } from '../../lib/sources/invalidation.js';
import { zoneInvalidation } from '../../lib/sources/zone-events.js';
import { someInputs, someUuid } from '../vm/factories.js';

/** A host with one zone, on a root that has a disk beside it. */
function aState(): HostState {
  const state = new HostState({
    store: createVmStore(),
    watchRequests: new Subject(),
    log: pino({ level: 'silent' }),
  });
  state.zones.apply(someUuid, { record: { value: someInputs().record, readAt: 1 } });
  const root = `zones/${someUuid}`;
  state.index.set(someUuid, {
    zonepath: `/${root}`,
    root,
    datasets: [root, `${root}/data`, `${root}-disk1`],
  });
  return state;
}

/** Lane and inputs of zone requests, for comparison. */
function plain(requests: readonly Request[]): unknown {
  return requests.map((request) =>
    'inputs' in request ? { ...request, inputs: [...request.inputs].sort() } : request,
  );
}

function read(lane: 'files' | 'zone', inputs: readonly ZoneInput[], zonename = someUuid): unknown {
  return [{ lane, zonename, inputs: [...inputs].sort(), datasets: false }];
}

const sysevent = { type: 'zone', class: 'status', subclass: 'change', newstate: 'running' } as const;
const root = `zones/${someUuid}`;

const rows: readonly [row: string, invalidation: Invalidation, requests: unknown][] = [
  [
    'zone sysevent of an unknown zone: all its inputs',
    zoneInvalidation({ ...sysevent, zonename: 'new' }),
    read('zone', zoneInputs, 'new'),
  ],
  [
    'zone sysevent of a known zone: record, XML, kstat, lastexited',
    zoneInvalidation({ ...sysevent, zonename: someUuid }),
    read('zone', ['record', 'xml', 'kstat', 'lastexited']),
  ],
  [
    'zone XML changed: read at once',
    { type: 'zone', zonename: someUuid, inputs: ['xml'] },
    read('files', ['xml']),
  ],
  [
    'zone XML changed: record and kstat',
    { type: 'zone', zonename: someUuid, inputs: ['record', 'kstat'] },
    read('zone', ['record', 'kstat']),
  ],
  [
    'a new zone XML: the whole zone',
    { type: 'zone', zonename: 'new', inputs: ['xml'] },
    read('zone', zoneInputs, 'new'),
  ],
  ...fileInputs.map((input): [string, Invalidation, unknown] => [
    `file ${input}: that file`,
    { type: 'zone', zonename: someUuid, inputs: [input] },
    read('files', [input]),
  ]),
  ['sysinfo cache: sysinfo', { type: 'sysinfo' }, [{ lane: 'sysinfo' }]],
  ['ZFS sysevent: the named dataset', { type: 'dataset', name: root }, [{ lane: 'dataset', name: root }]],
  [
    'ZFS sysevent on a disk',
    { type: 'dataset', name: `${root}-disk1` },
    [{ lane: 'dataset', name: `${root}-disk1` }],
  ],
  [
    'ZFS sysevent on what may become a root',
    { type: 'dataset', name: 'zones/x' },
    [{ lane: 'unused', name: 'zones/x' }],
  ],
  ['ZFS sysevent below a delegated dataset: nothing', { type: 'dataset', name: `${root}/data/x` }, []],
  ['ZFS sysevent on a dataset of no VM: nothing', { type: 'dataset', name: 'tank/x/y' }, []],
  [
    'ZFS sysevent on an ancestor of VMs: all datasets, in the background',
    { type: 'descendants', dataset: 'zones' },
    [{ lane: 'rescan', scope: 'datasets', reason: 'zones changed' }],
  ],
  ['ZFS sysevent on a dataset without VMs below', { type: 'descendants', dataset: root }, []],
  ['ZFS destroy: nothing is asked', { type: 'dataset-gone', name: root }, []],
  ['rollback: what the watches say', { type: 'files-replaced', dataset: root }, []],
  [
    'timer: everything',
    { type: 'everything', reason: 'timer' },
    [{ lane: 'rescan', scope: 'everything', reason: 'timer' }],
  ],
];

for (const [row, invalidation, expected] of rows) {
  void tap.test(row, (t) => {
    t.same(plain(requestsFor(aState(), invalidation)), expected);
    t.end();
  });
}

void tap.test('two requests for a zone are one for what both ask for', (t) => {
  const a = { lane: 'zone', zonename: 'a', inputs: new Set<ZoneInput>(['record']), datasets: false } as const;
  const b = { ...a, inputs: new Set<ZoneInput>(['xml', 'record']), datasets: true };
  const expected = [{ lane: 'zone', zonename: 'a', inputs: ['record', 'xml'], datasets: true }];
  t.same(plain([mergeZoneRequests(a, b)]), expected);
  t.same(plain([mergeZoneRequests(b, a)]), expected);
  t.end();
});

void tap.test('of two rescans the wider is done', (t) => {
  const wide = { lane: 'rescan', scope: 'everything', reason: 'timer' } as const;
  const narrow = { lane: 'rescan', scope: 'datasets', reason: 'zones changed' } as const;
  t.equal(mergeRescanRequests(wide, narrow), wide);
  t.equal(mergeRescanRequests(narrow, wide), wide);
  t.equal(mergeRescanRequests(narrow, { ...narrow, reason: 'other' }).scope, 'datasets');
  t.end();
});
