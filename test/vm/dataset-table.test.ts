import tap from 'tap';
import { DatasetTable, type DatasetChanges, type Listing } from '../../lib/vm/dataset-table.js';
import type { Dataset, DatasetSnapshot } from '../../lib/vm/inputs.js';
import { aDataset, aVolume } from './factories.js';

/** A listing of these datasets with what is in them, or of these rows, begun then. */
function aListing(readAt: number, overrides: Partial<Listing>): [listing: Listing, readAt: number] {
  const nothing = { whole: [], rows: [], datasets: [], snapshots: new Map(), missing: [] };
  return [{ ...nothing, ...overrides }, readAt];
}

function aSnapshot(name: string, overrides: Partial<DatasetSnapshot> = {}): DatasetSnapshot {
  return { name, createdAt: 1_600_000_000, size: 0, userrefs: 0, ...overrides };
}

const hold = [aSnapshot('indestructible', { userrefs: 1 })];

/** A table that knows these, read at 1. */
function aTable(...datasets: readonly (string | Dataset)[]): DatasetTable {
  const table = new DatasetTable();
  const all = datasets.map((each) => (typeof each === 'string' ? aDataset({ name: each }) : each));
  table.take(...aListing(1, { whole: all.map(({ name }) => name), datasets: all }));
  return table;
}

function snapshotsOf(table: DatasetTable, name: string): readonly string[] | undefined {
  return table.byName(name)?.snapshots.map((snapshot) => snapshot.name);
}

function listOf(names: Iterable<string>): string[] {
  return [...names].sort();
}

function isNothing({ names, mountpoints, outdated }: DatasetChanges): boolean {
  return names.size + mountpoints.size + outdated.size === 0;
}

void tap.test('datasets by name and by mountpoint, and what changed', (t) => {
  const table = new DatasetTable();
  const datasets = [
    aDataset({ name: 'zones/a' }),
    aDataset({ name: 'zones/a/data', mountpoint: '/zones/a/data' }),
    aDataset({ name: 'zones/a/z', zoned: true }),
    aDataset({ name: 'zones/a/n', mountpoint: 'none' }),
    aVolume({ name: 'zones/a/disk0' }),
  ];
  const first = table.take(...aListing(1, { whole: ['zones/a'], datasets }));
  t.same(listOf(first.names), listOf(datasets.map(({ name }) => name)));
  t.same(listOf(first.mountpoints), ['/dev/zvol/rdsk/zones/a/disk0', '/zones/a']);
  t.equal(table.byMountpoint('/zones/a')?.name, 'zones/a');
  t.equal(table.byMountpoint('/dev/zvol/rdsk/zones/a/disk0'), table.byName('zones/a/disk0'));
  for (const path of ['/zones/a/data', '/zones/a/z', 'none'])
    t.equal(table.byMountpoint(path), undefined, path);

  const kept = table.byName('zones/a/disk0');
  const same = datasets.map((each) => ({ ...each }));
  t.ok(
    isNothing(table.take(...aListing(2, { whole: ['zones/a'], datasets: same }))),
    'the same changes nothing',
  );
  t.equal(table.byName('zones/a/disk0'), kept, 'nor the objects');
  t.end();
});

void tap.test(
  'what a listing lacks of a dataset that it has whole is gone; of single rows it says nothing more',
  (t) => {
    const table = aTable('zones', 'zones/a', 'zones/a/data', 'zones/a/disk0', 'zones/b');
    const datasets = [aDataset({ name: 'zones/a', quota: 5 }), aDataset({ name: 'zones/a/disk1' })];
    table.take(...aListing(2, { rows: ['zones/a', 'zones/a/disk1'], datasets }));
    t.equal(table.byName('zones/a')?.quota, 5);
    t.same(listOf(table.childrenOf('zones/a')), ['zones/a/data', 'zones/a/disk0', 'zones/a/disk1']);
    const changes = table.take(...aListing(3, { whole: ['zones/a'], datasets }));
    t.same(listOf(changes.names), ['zones/a/data', 'zones/a/disk0']);
    t.same(listOf(table.names()), ['zones', 'zones/a', 'zones/a/disk1', 'zones/b']);
    t.end();
  },
);

void tap.test('a dataset that is missing is gone with everything below it', (t) => {
  const table = aTable('zones', 'zones/a', 'zones/a/data', 'zones/a/disk0', 'zones/b');
  const missing = ['zones/a', 'zones/c'];
  const changes = table.take(...aListing(2, { whole: missing, missing }));
  t.same(listOf(changes.names), ['zones/a', 'zones/a/data', 'zones/a/disk0']);
  t.same(listOf(changes.mountpoints), ['/zones/a', '/zones/a/disk0']);
  t.end();
});

void tap.test('what a listing of everything lacks is taken away, unless it was read later', (t) => {
  const table = aTable('zones/a', 'zones/b');
  table.take(...aListing(5, { rows: ['zones/b'], datasets: [aDataset({ name: 'zones/b' })] }));
  t.same(listOf(table.remove('zones/a', 3).names), ['zones/a']);
  t.ok(isNothing(table.remove('zones/b', 3)));
  t.end();
});

void tap.test(
  'an older listing never replaces a newer one; where they differ the dataset is to be listed again',
  (t) => {
    const table = aTable('zones/a', 'zones/b');
    table.take(...aListing(5, { whole: ['zones/a'], datasets: [aDataset({ name: 'zones/a', quota: 5 })] }));
    const older = [aDataset({ name: 'zones/a', quota: 3 }), aDataset({ name: 'zones/b' })];
    const late = table.take(...aListing(3, { whole: ['zones/a', 'zones/b'], datasets: older }));
    t.same([...late.names], []);
    t.same([...late.outdated], ['zones/a']);
    t.equal(table.byName('zones/a')?.quota, 5);
    table.take(...aListing(4, { whole: ['zones/a'], missing: ['zones/a'] }));
    t.ok(table.byName('zones/a'), 'nor does it take away what came later');
    t.end();
  },
);

void tap.test('what was destroyed while a listing ran does not come back with it', (t) => {
  const datasets = ['zones', 'zones/a', 'zones/a/data', 'zones/b'].map((name) =>
    aDataset({ name, snapshots: [aSnapshot('s1'), aSnapshot('s2')] }),
  );
  const whole = ['zones/a', 'zones/b'];
  for (const isKnown of [true, false]) {
    const table = isKnown ? aTable(...datasets) : aTable('zones/b');
    table.take(...aListing(3, { whole: ['zones/a'], missing: ['zones/a'] }));
    table.take(...aListing(4, { rows: ['zones/b@s1'], missing: ['zones/b@s1'] }));
    table.take(...aListing(2, { whole, datasets }));
    t.same(listOf(table.names()), ['zones', 'zones/b'], `the subtree was ${isKnown ? '' : 'not '}known`);
    t.same(snapshotsOf(table, 'zones/b'), ['s2']);
    table.take(...aListing(5, { whole, datasets }));
    t.same(listOf(table.names()), listOf(datasets.map(({ name }) => name)), 'a later listing brings it back');
    t.same(snapshotsOf(table, 'zones/b'), ['s1', 's2']);
  }
  t.end();
});

void tap.test('that something is gone is remembered until no older listing is under way', (t) => {
  const table = aTable('zones/a');
  const back = aListing(2, { whole: ['zones/a'], datasets: [aDataset({ name: 'zones/a' })] });
  table.take(...aListing(5, { whole: ['zones/a'], missing: ['zones/a'] }));
  table.prune(5);
  table.take(...back);
  t.equal(table.byName('zones/a'), undefined);
  table.prune(6);
  table.take(...back);
  t.ok(table.byName('zones/a'), 'forgotten');
  t.end();
});

void tap.test('rename: the old subtree is gone, the new one listed, and the mountpoint follows', (t) => {
  const table = aTable('zones', 'zones/a', 'zones/a/data');
  const mountpoint = '/zones/a';
  t.same(listOf(table.take(...aListing(2, { whole: ['zones/a'], missing: ['zones/a'] })).names), [
    'zones/a',
    'zones/a/data',
  ]);
  const changes = table.take(
    ...aListing(3, { whole: ['zones/b'], datasets: [aDataset({ name: 'zones/b', mountpoint })] }),
  );
  t.same(listOf(changes.mountpoints), [mountpoint]);
  t.equal(table.byMountpoint(mountpoint)?.name, 'zones/b');
  t.end();
});

void tap.test('two datasets with one mountpoint: whichever goes, the other is found', (t) => {
  for (const [goes, stays] of [
    ['zones/a', 'zones/copy'],
    ['zones/copy', 'zones/a'],
  ] as const) {
    const table = aTable('zones', 'zones/a', aDataset({ name: 'zones/copy', mountpoint: '/zones/a' }));
    t.equal(table.byMountpoint('/zones/a')?.name, 'zones/a', 'the one that has it by default');
    const changes = table.take(...aListing(3, { rows: [goes], missing: [goes] }));
    t.same(listOf(changes.mountpoints), ['/zones/a']);
    t.equal(table.byMountpoint('/zones/a')?.name, stays);
  }
  t.end();
});

void tap.test('snapshots by name: read, new, gone; the others stay, and so do their objects', (t) => {
  const table = aTable(
    aDataset({ name: 'zones/a', snapshots: ['s1', 's2', 's3'].map((name) => aSnapshot(name)) }),
  );
  const [, second] = table.byName('zones/a')?.snapshots ?? [];
  const rows = ['zones/a', 'zones/a@s1', 'zones/a@s3', 'zones/a@s4'];
  const snapshots = [aSnapshot('s3', { size: 7 }), aSnapshot('s4')];
  const datasets = [aDataset({ name: 'zones/a', snapshots })];
  const changes = table.take(...aListing(2, { rows, datasets, missing: ['zones/a@s1'] }));
  t.same([...changes.names], ['zones/a']);
  t.same(snapshotsOf(table, 'zones/a'), ['s2', 's3', 's4']);
  t.equal(table.byName('zones/a')?.snapshots[0], second);
  t.equal(table.byName('zones/a')?.snapshots[1]?.size, 7);
  t.same(table.snapshotAfter('zones/a@s3'), ['zones/a@s4']);
  t.same([...table.snapshotAfter('zones/a@s4'), ...table.snapshotAfter('zones/a@s1')], []);
  t.ok(isNothing(table.take(...aListing(3, { rows, datasets, missing: ['zones/a@s1'] }))), 'the same again');
  t.end();
});

void tap.test(
  'a listing of all snapshots that began before one was read by name: each has its newest',
  (t) => {
    const table = aTable(aDataset({ name: 'zones/a', snapshots: [aSnapshot('old')] }));
    table.take(...aListing(4, { rows: ['zones/a@old'], missing: ['zones/a@old'] }));
    const named = new Map([['zones/a', [aSnapshot('new')]]]);
    table.take(...aListing(5, { rows: ['zones/a@new'], snapshots: named }));
    const snapshots = [aSnapshot('old'), aSnapshot('other')];
    table.take(
      ...aListing(3, { whole: ['zones/a'], datasets: [aDataset({ name: 'zones/a', quota: 7, snapshots })] }),
    );
    t.equal(table.byName('zones/a')?.quota, 7, 'the rest of the listing counts');
    t.same(snapshotsOf(table, 'zones/a'), ['other', 'new']);
    t.end();
  },
);

void tap.test('snapshots of a delegated dataset, which no listing of everything has', (t) => {
  const data = 'zones/a/data';
  const aTableWithHold = () => {
    const table = aTable('zones', 'zones/a', data);
    table.take(...aListing(2, { rows: [`${data}@indestructible`], snapshots: new Map([[data, hold]]) }));
    return table;
  };
  const table = aTableWithHold();
  t.same(snapshotsOf(table, data), ['indestructible']);
  const datasets = ['zones/a', data].map((name) => aDataset({ name }));
  t.ok(isNothing(table.take(...aListing(3, { whole: ['zones/a'], datasets }))), 'they stay');
  t.same(snapshotsOf(table, data), ['indestructible']);
  const released = new Map([[data, [aSnapshot('indestructible')]]]);
  table.take(...aListing(9, { rows: [`${data}@indestructible`], snapshots: released }));
  table.take(...aListing(7, { rows: [`${data}@indestructible`], snapshots: new Map([[data, hold]]) }));
  t.equal(table.byName(data)?.snapshots[0]?.userrefs, 0, 'they never go back to what they were');
  const gone = aListing(10, { rows: [`${data}@indestructible`], missing: [`${data}@indestructible`] });
  t.same(listOf(table.take(...gone).names), [data]);
  t.same(snapshotsOf(table, data), [], 'one that was named and is missing is gone');
  t.end();
});

void tap.test(
  'a snapshot that was to be listed with all that is in it is one that was asked for by name',
  (t) => {
    const data = 'zones/a/data';
    const table = aTable('zones/a', data);
    const whole = ['zones/a', `${data}@indestructible`];
    const listed = (snapshots: readonly DatasetSnapshot[]) => ({
      whole,
      datasets: [aDataset({ name: 'zones/a' }), aDataset({ name: data, snapshots })],
    });
    t.same(listOf(table.take(...aListing(2, listed(hold))).names), [data]);
    t.match(table.byName(data)?.snapshots, [{ name: 'indestructible', userrefs: 1 }]);
    t.same(listOf(table.take(...aListing(3, listed([]))).names), [data], 'gone');
    t.same(snapshotsOf(table, data), []);
    t.end();
  },
);

void tap.test('an older listing of all snapshots does not change their order', (t) => {
  const all = ['s1', 's2', 's3'].map((name) => aSnapshot(name));
  const table = aTable(aDataset({ name: 'zones/a', snapshots: all }));
  const held = { name: 'zones/a', snapshots: [aSnapshot('s1', { userrefs: 1 })] };
  table.take(...aListing(6, { rows: ['zones/a@s1', 'zones/a@s2'], datasets: [aDataset(held)] }));
  table.take(
    ...aListing(5, { whole: ['zones/a'], datasets: [aDataset({ name: 'zones/a', snapshots: all })] }),
  );
  t.match(table.byName('zones/a')?.snapshots, [{ name: 's1', userrefs: 1 }, { name: 's3' }]);
  t.end();
});

void tap.test('what follows a snapshot that is gone is listed again, unless it was read as late', (t) => {
  const snapshots = ['s1', 's2', 's3', 's4'].map((name) => aSnapshot(name));
  const table = aTable(aDataset({ name: 'zones/a', snapshots }));
  const named = (...names: string[]) => names.map((name) => `zones/a@${name}`);
  const gone = (readAt: number, rows: string[], found: readonly DatasetSnapshot[]) =>
    listOf(table.take(...aListing(readAt, { rows, snapshots: new Map([['zones/a', found]]) })).outdated);
  t.same(gone(2, named('s2', 's3'), [aSnapshot('s3')]), []);
  t.same(gone(3, named('s1', 's2'), []), named('s3'), 'with the one before it, whose end had not been seen');
  t.same(gone(4, named('s4'), []), [], 'nothing follows the last');
  t.end();
});

void tap.test('a snapshot of a dataset that is not known is nothing to hold on to', (t) => {
  const table = aTable('zones');
  const snapshots = new Map([['zones/x/data', hold]]);
  t.ok(isNothing(table.take(...aListing(2, { rows: ['zones/x/data@indestructible'], snapshots }))));
  t.equal(table.byName('zones/x/data'), undefined);
  t.ok(isNothing(table.take(...aListing(3, { rows: ['zones/x@s'], missing: ['zones/x@s'] }))));
  t.end();
});

void tap.test('what the last listing of everything could not read is known by its part of the tree', (t) => {
  const table = aTable('zones/a', 'zones/b');
  t.notOk(table.isListed);
  table.listed({ names: new Set(), unreadable: new Set(['zones/a']) });
  t.ok(table.isListed);
  t.ok(table.isUnreadable('zones/a') && table.isUnreadable('zones/a/disk0'));
  t.notOk(table.isUnreadable('zones/b'));
  t.end();
});
