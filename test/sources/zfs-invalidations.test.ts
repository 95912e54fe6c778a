/** What each ZFS history event makes stale, action by action, and the events of a real OpenZFS. */
import tap from 'tap';
import { parseSysevent } from '../../lib/host/sysevent.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import { zfsInvalidations } from '../../lib/sources/zfs-invalidations.js';
import { poolOf } from '../../lib/vm/dataset-names.js';
import { historyEvents } from '../host/captures.js';

const list = (name: string): Invalidation => ({ type: 'dataset', name });
const properties = (name: string): Invalidation => ({ type: 'dataset', name, propertiesOnly: true });
const below = (dataset: string): Invalidation => ({ type: 'descendants', dataset });
const files = (dataset: string): Invalidation => ({ type: 'files-replaced', dataset });

const vm = 'zones/vm';

type Row = readonly [action: string, dataset: string, detail: string, expected: readonly Invalidation[]];

const table: Readonly<Record<string, readonly Row[]>> = {
  'create, clone, snapshot, … and any name not listed: list the dataset': [
    ...[
      'create',
      'clone',
      'snapshot',
      'hold',
      'release',
      'finish receiving',
      'resume receive',
      'bookmark',
      'remove bookmark',
      'upgrade',
      'a name of the future',
      '',
    ].map((action): Row => [action, vm, '', [list(vm)]]),
    ['snapshot', `${vm}@s`, '', [list(`${vm}@s`)]],
    [
      'hold',
      `${vm}/data@indestructible`,
      'tag=do_not_destroy temp=0 refs=1',
      [list(`${vm}/data@indestructible`)],
    ],
    ['finish receiving', vm, 'snap=s', [list(vm)]],
    ['create', 'zones/name with space', ' ', [list('zones/name with space')]],
  ],
  'set, inherit: list it, and what inherits from it': [
    ['set', vm, 'quota=10737418240', [properties(vm), below(vm)]],
    ['inherit', 'zones', 'compression=off', [properties('zones'), below('zones')]],
    ['set', `${vm}@s`, 'user:prop=1', [list(`${vm}@s`)]],
  ],
  'rename: the old name is looked for, the new is listed, and the pool for what is below': [
    ['rename', vm, '-> zones/new', [list(vm), list('zones/new'), below('zones')]],
    ['rename', vm, '-> zones/a -> b', [list(vm), list('zones/a -> b'), below('zones')]],
    ['rename', `${vm}@old`, '-> @new', [list(vm)]],
    ['rename', vm, 'garbage', [list(vm)]],
  ],
  'promote: list it and the rest of the pool': [['promote', vm, ' ', [list(vm), below('zones')]]],
  'destroy: zfs is asked whether it is gone': [
    ['destroy', vm, '(bptree, mintxg=1)', [list(vm)]],
    ['destroy', `${vm}@s`, ' ', [list(`${vm}@s`)]],
  ],
  'defer_destroy, destroy begin: list it': [
    ['defer_destroy', `${vm}@s`, ' ', [list(vm)]],
    ['destroy begin', vm, '', [list(vm)]],
  ],
  'clone swap on %rollback or %recv: list the dataset, and its files were replaced': [
    ['clone swap', `${vm}/%rollback`, 'parent=vm', [list(vm), files(vm)]],
    ['clone swap', `${vm}/%recv`, 'parent=vm', [list(vm), files(vm)]],
  ],
  'other actions on a %-named dataset: nothing': [
    ['destroy', `${vm}/%rollback`, '(bptree, mintxg=989)', []],
    ['receive', `${vm}/%recv`, '', []],
    ['finish receiving', `${vm}/%recv`, 'snap=s', []],
    ['snapshot', `${vm}/%recv@s`, '', []],
    ['set', `${vm}/%recv`, 'quota=1', []],
  ],
  'receive: nothing, finish receiving follows': [['receive', vm, ' ', []]],
};

for (const [row, cases] of Object.entries(table)) {
  void tap.test(row, (t) => {
    for (const [action, dataset, detail, expected] of cases)
      t.same(zfsInvalidations({ action, dataset, detail }), expected, `${action} ${dataset} ${detail}`);
    t.end();
  });
}

void tap.test('poolOf', (t) => {
  for (const name of ['zones', 'zones/a', 'zones/a/b', 'zones@s']) t.equal(poolOf(name), 'zones', name);
  t.end();
});

/** What all events of a captured command make stale, from the line that sysevent(8) prints. */
function captured(step: string): readonly Invalidation[] {
  const found = historyEvents().find((each) => each.step === step);
  if (found === undefined) throw new Error(`no step ${step}`);
  return found.events.flatMap((data) => {
    const line = { type: 'event', class: 'EC_zfs', subclass: 'ESC_ZFS_history_event', data };
    const event = parseSysevent(JSON.stringify(line));
    return event.type === 'zfs' ? zfsInvalidations(event) : [];
  });
}

const a = 'zones/aaaaaaaa-0000-4000-8000-00000000000a';
const d = 'zones/dddddddd-0000-4000-8000-00000000000d';

const steps: Readonly<Record<string, readonly Invalidation[]>> = {
  '000-zpool-create': [],
  '018-zfs-hold': [list(`${a}@indestructible`)],
  '033-zfs-bookmark': [list(a)],
  '126-zfs-inherit-recv': [properties('zones/test'), below('zones/test')],
  '141-zfs-set-volsize': [],
  '148-zfs-rename-fs': [list('zones/test/p1/p2/p3'), list('zones/test/p1/p2/p3new'), below('zones')],
  '151-zfs-rename-snapshot': [list('zones/test')],
  '156-zfs-destroy-deferred-held': [list('zones/test/q2')],
  '160-zfs-rollback': [list('zones/test'), files('zones/test')],
  '163-zfs-rollback-r': [list('zones/test@rb2'), list('zones/test'), files('zones/test')],
  '164-zfs-destroy-snapshot': [list('zones/test@rb1')],
  '175-zfs-destroy-r-clone': [
    list('zones/test/clone1/kid'),
    list('zones/test/clone1@c1'),
    list('zones/test/clone1'),
  ],
  '181-sendrecv-full': [list(d), list(`${d}@send1`)],
  '183-sendrecv-incr-F': [list(d), files(d), list(`${d}@send2`)],
  '200-zfs-clone-C2': [list('zones/cccccccc-0000-4000-8000-00000000000c-clone')],
  '201-zfs-promote': [list('zones/cccccccc-0000-4000-8000-00000000000c-clone'), below('zones')],
  '213-zfs-rename-space-name': [
    list('zones/name with space'),
    list('zones/other  name two spaces'),
    below('zones'),
  ],
  '214-zfs-rename-swap-a': [
    list('zones/sw1'),
    list('zones/sw2'),
    ...[
      ['zones/sw1', 'zones/swt'],
      ['zones/sw2', 'zones/sw1'],
      ['zones/swt', 'zones/sw2'],
    ].flatMap(([from = '', to = '']) => [list(from), list(to), below('zones')]),
  ],
};

for (const [step, expected] of Object.entries(steps)) {
  void tap.test(`captured: ${step}`, (t) => {
    t.same(captured(step), expected);
    t.end();
  });
}

void tap.test(
  'captured: no event of any command names a temporary dataset, or is lost unless it should be',
  (t) => {
    let count = 0;
    for (const { step, events } of historyEvents()) {
      for (const data of events) {
        const action = String(data['history_internal_name']);
        const dataset = data['history_dsname'];
        if (typeof dataset !== 'string') continue;
        const invalidations = zfsInvalidations({
          action,
          dataset,
          detail: String(data['history_internal_str']),
        });
        count++;
        const isNothing = action === 'receive' || (dataset.includes('%') && action !== 'clone swap');
        t.equal(invalidations.length === 0, isNothing, `${step}: ${action} ${dataset}`);
        t.notOk(JSON.stringify(invalidations).includes('%'), `${step}: ${action} ${dataset}`);
      }
    }
    t.ok(count > 200, `${count} events`);
    t.end();
  },
);
