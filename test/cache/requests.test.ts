/** The requests that follow from an invalidation, row by row, and how two requests merge. */
import tap from 'tap';
import {
  mergeRequests,
  noOccasion,
  requestsFor,
  zoneRequest,
  type RescanRequest,
  type Waiter,
  type ZoneRequest,
} from '../../lib/cache/requests.js';
import type { HostState } from '../../lib/cache/state.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import { zoneInvalidation } from '../../lib/sources/zone-events.js';
import { zoneFiles, zoneInputs, type ZoneInput } from '../../lib/vm/inputs.js';
import { aDataset, someUuid } from '../vm/factories.js';
import { aRequest, aState, plain, someRoot as root } from './some-state.js';

/** A host with one VM, whose root has a child and two snapshots, and a disk beside it. */
function aHost(): HostState {
  const { state, datasets } = aState();
  const snapshots = ['s1', 's2'].map((name) => ({ name, createdAt: 1, size: 0, userrefs: 0 }));
  const names = [root, `${root}/data`, `${root}-disk1`];
  datasets(2, {
    whole: [root],
    datasets: [
      aDataset({ name: root, mountpoint: `/${root}`, snapshots }),
      aDataset({ name: `${root}/disk0` }),
    ],
  });
  state.index.set(someUuid, { zonepath: `/${root}`, root, datasets: names });
  return state;
}

function read(lane: ZoneRequest['lane'], inputs: readonly ZoneInput[], zonename = someUuid): unknown {
  return { lane, zonename, inputs: [...inputs].sort() };
}

function list(name: string, whole: boolean, lane: 'dataset' | 'unused' = 'dataset'): unknown {
  return { lane, name, whole, alone: false };
}

const reading = { type: 'read', value: { value: { role: 'db' }, mtimeMs: 1 }, version: '1' } as const;
const changed = { type: 'zone', source: 'file-events', zonename: someUuid } as const;
const sysevent = {
  type: 'zone',
  class: 'status',
  subclass: 'change',
  newstate: 'running',
  zoneid: 7,
} as const;

const rows: readonly [row: string, invalidation: Invalidation, requests: readonly unknown[]][] = [
  [
    'zone sysevent of an unknown zone: all its inputs',
    zoneInvalidation({ ...sysevent, zonename: 'new' }),
    [read('zone', zoneInputs, 'new')],
  ],
  [
    'zone sysevent of a known zone: record, XML, kstat, lastexited',
    zoneInvalidation({ ...sysevent, zonename: someUuid }),
    [read('zone', ['record', 'xml', 'kstat', 'lastexited'])],
  ],
  ['zone XML changed: read at once', { ...changed, inputs: ['xml'] }, [read('files', ['xml'])]],
  [
    'record and kstat, by commands',
    { ...changed, inputs: ['record', 'kstat'] },
    [read('zone', ['record', 'kstat'])],
  ],
  [
    'a new zone XML: the whole zone',
    { ...changed, zonename: 'new', inputs: ['xml'] },
    [read('zone', zoneInputs, 'new')],
  ],
  ...zoneFiles.map((input): (typeof rows)[number] => [
    `file ${input}: that file`,
    { ...changed, inputs: [input] },
    [read('files', [input])],
  ]),
  [
    'a file that was read when it changed: that is taken in',
    { ...changed, inputs: ['tags'], readings: { tags: reading } },
    [{ ...(read('read-ahead', ['tags']) as object), readings: { tags: reading } }],
  ],
  [
    'a file of an unknown zone that was read: the whole zone',
    { ...changed, zonename: 'new', inputs: ['tags'], readings: { tags: reading } },
    [{ ...(read('zone', zoneInputs, 'new') as object), readings: undefined }],
  ],
  ['sysinfo cache: sysinfo', { type: 'sysinfo' }, [{ lane: 'sysinfo' }]],
  ['a root: with all that is in it', { type: 'dataset', name: root }, [list(root, true)]],
  [
    'properties of a root: its row, and what inherits from it',
    { type: 'dataset', name: root, propertiesOnly: true },
    [list(root, false), list(`${root}/disk0`, false)],
  ],
  [
    'a snapshot of a root: that, what snapshots use, and the next one',
    { type: 'dataset', name: `${root}@s1` },
    [list(`${root}@s1`, false), list(root, false), list(`${root}@s2`, false)],
  ],
  [
    'a new snapshot of a root',
    { type: 'dataset', name: `${root}@s3` },
    [list(`${root}@s3`, false), list(root, false)],
  ],
  ['a disk: its row', { type: 'dataset', name: `${root}-disk1` }, [list(`${root}-disk1`, false)]],
  [
    'a delegated dataset: its row, and what protects it',
    { type: 'dataset', name: `${root}/data` },
    [list(`${root}/data`, false), list(`${root}/data@indestructible`, false)],
  ],
  ['what may become a root', { type: 'dataset', name: 'zones/x' }, [list('zones/x', true, 'unused')]],
  ['a snapshot of it', { type: 'dataset', name: 'zones/x@s' }, [list('zones/x', true, 'unused')]],
  ['below a delegated dataset: nothing', { type: 'dataset', name: `${root}/data/x` }, []],
  ['a dataset of no VM: nothing', { type: 'dataset', name: 'tank/x/y' }, []],
  [
    'an ancestor of VMs: all datasets, in the background',
    { type: 'descendants', dataset: 'zones' },
    [{ lane: 'rescan', scope: 'datasets', reason: 'zones changed' }],
  ],
  ['a dataset without VMs below', { type: 'descendants', dataset: root }, []],
  ['rollback: what the watches say', { type: 'files-replaced', dataset: root }, []],
  [
    'timer: everything',
    { type: 'everything', reason: 'timer' },
    [{ lane: 'rescan', scope: 'everything', reason: 'timer' }],
  ],
];

for (const [row, invalidation, expected] of rows) {
  void tap.test(row, (t) => {
    t.match(plain(requestsFor(aHost(), invalidation, noOccasion)), expected);
    t.equal(requestsFor(aHost(), invalidation, noOccasion).length, expected.length);
    t.end();
  });
}

void tap.test('what was announced comes with the request, and the clock when it was', (t) => {
  const state = aHost();
  const before = state.clock.now;
  const [request] = requestsFor(state, zoneInvalidation({ ...sysevent, zonename: someUuid }), noOccasion);
  t.match(request, { zoneid: 7, announced: { newstate: 'running', since: before, looks: 0 } });
  t.end();
});

void tap.test('two requests are one for what both ask for, and for whoever waits for either', (t) => {
  const [one, other]: Waiter[] = [1, 2].map(() => ({ began: () => undefined, ended: () => undefined }));
  if (one === undefined || other === undefined) throw new Error('two waiters');
  const a = zoneRequest('a', ['record'], { noticedAt: 5, waiters: [one] });
  const b = zoneRequest('a', ['xml', 'record'], { noticedAt: 3, waiters: [other, one] });
  for (const merged of [mergeRequests(a, b), mergeRequests(b, a)]) {
    t.same([...merged.inputs].sort(), ['record', 'xml']);
    t.equal(merged.noticedAt, 3, 'the first to say so counts');
    t.equal(merged.waiters.length, 3, 'as often as they asked');
  }
  t.end();
});

void tap.test('of two announced states the later one is looked for, whichever was asked for last', (t) => {
  const of = (newstate: string, since: number, looks: number) => ({
    ...zoneRequest('z', ['record'], noOccasion),
    announced: { newstate, since, looks },
  });
  const rows = [
    ['the next state, then another look for the first', of('running', 5, 0), of('ready', 4, 1), 'running'],
    ['in the other order', of('ready', 4, 1), of('running', 5, 0), 'running'],
    ['nothing was announced to one', of('running', 5, 0), zoneRequest('z', ['xml'], noOccasion), 'running'],
    ['nor to the other', zoneRequest('z', ['xml'], noOccasion), of('running', 5, 0), 'running'],
  ] as const;
  for (const [row, a, b, newstate] of rows)
    t.match(mergeRequests<ZoneRequest>(a, b), { announced: { newstate } }, row);
  t.match(mergeRequests(of('ready', 4, 1), of('ready', 4, 2)), { announced: { looks: 2 } });
  t.end();
});

void tap.test('two requests with what was read: all of it is taken in', (t) => {
  const ahead = (input: 'tags' | 'routes'): ZoneRequest => ({
    ...zoneRequest('a', [input], noOccasion),
    ...{ lane: 'read-ahead', readings: { [input]: reading } },
  });
  t.same(mergeRequests(ahead('tags'), ahead('routes')).readings, { tags: reading, routes: reading });
  t.end();
});

void tap.test('of two listings of a dataset, and of two rescans, the wider is done', (t) => {
  const row = aRequest('zones/a', false, noOccasion);
  const whole = aRequest('zones/a', true, noOccasion);
  for (const merged of [mergeRequests(row, whole), mergeRequests(whole, row)]) t.equal(merged.whole, true);
  t.equal(mergeRequests({ ...row, alone: true }, row).alone, true);
  const wide: RescanRequest = { ...noOccasion, lane: 'rescan', scope: 'everything', reason: 'timer' };
  const narrow: RescanRequest = { ...wide, scope: 'datasets', reason: 'zones changed' };
  for (const merged of [mergeRequests(wide, narrow), mergeRequests(narrow, wide)])
    t.match(merged, { scope: 'everything', reason: 'timer' });
  t.equal(mergeRequests(narrow, narrow).scope, 'datasets');
  t.end();
});
