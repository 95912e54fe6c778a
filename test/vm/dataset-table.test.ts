import tap from 'tap';
import { DatasetTable, type Listing } from '../../lib/vm/dataset-table.js';
import type { DatasetSnapshot } from '../../lib/vm/inputs.js';
import { aDataset, aVolume } from '../vm/factories.js';

function aListing(overrides: Partial<Listing> & Pick<Listing, 'readAt' | 'asked'>): Listing {
  return { datasets: [], snapshots: new Map(), missing: [], ...overrides };
}

function aSnapshot(name: string, overrides: Partial<DatasetSnapshot> = {}): DatasetSnapshot {
  return { name, createdAt: 1_600_000_000, size: 0, userrefs: 0, ...overrides };
}

const hold = [aSnapshot('indestructible', { userrefs: 1 })];

/** A table with what a full listing at 1 found. */
function aTable(...names: string[]): DatasetTable {
  const table = new DatasetTable();
  table.apply(
    aListing({ readAt: 1, asked: 'everything', datasets: names.map((name) => aDataset({ name })) }),
  );
  return table;
}

function snapshotsOf(table: DatasetTable, name: string): readonly string[] | undefined {
  return table.byName(name)?.snapshots.map((snapshot) => snapshot.name);
}

function listOf(names: Iterable<string>): string[] {
  return [...names].sort();
}

void tap.test('a full listing: datasets by name and by mountpoint, and what changed', (t) => {
  const table = new DatasetTable();
  const disk = aVolume({ name: 'zones/a/disk0' });
  const datasets = [
    aDataset({ name: 'zones' }),
    aDataset({ name: 'zones/a' }),
    aDataset({ name: 'zones/a/data', mountpoint: '/zones/a/data' }),
    aDataset({ name: 'zones/z', zoned: true }),
    aDataset({ name: 'zones/n', mountpoint: 'none' }),
    disk,
  ];
  const first = table.apply(aListing({ readAt: 1, asked: 'everything', datasets }));
  t.same(listOf(first.names), listOf(datasets.map(({ name }) => name)));
  t.same(listOf(first.mountpoints), ['/dev/zvol/rdsk/zones/a/disk0', '/zones', '/zones/a']);
  t.equal(table.byMountpoint('/zones/a')?.name, 'zones/a');
  t.equal(table.byMountpoint('/dev/zvol/rdsk/zones/a/disk0'), table.byName('zones/a/disk0'));
  for (const path of ['/zones/a/data', '/zones/z', 'none'])
    t.equal(table.byMountpoint(path), undefined, path);

  const kept = table.byName('zones/a/disk0');
  const same = table.apply(
    aListing({ readAt: 2, asked: 'everything', datasets: datasets.map((each) => ({ ...each })) }),
  );
  t.equal(same.names.size + same.mountpoints.size, 0, 'the same again changes nothing');
  t.equal(table.byName('zones/a/disk0'), kept, 'nor the objects');

  const less = table.apply(aListing({ readAt: 3, asked: 'everything', datasets: datasets.slice(0, 2) }));
  t.same(
    listOf(less.names),
    ['zones/a/data', 'zones/a/disk0', 'zones/n', 'zones/z'],
    'what is not listed is gone',
  );
  t.same(listOf(table.names()), ['zones', 'zones/a']);
  t.end();
});

void tap.test('a full listing has not the last word on what is excepted, or deeper than it goes', (t) => {
  const table = aTable('zones', 'zones/a', 'zones/b');
  table.apply(aListing({ readAt: 2, asked: ['zones/a/x/y'], datasets: [aDataset({ name: 'zones/a/x/y' })] }));
  const datasets = [aDataset({ name: 'zones' }), aDataset({ name: 'zones/a' })];
  table.apply(aListing({ readAt: 3, asked: 'everything', datasets, except: new Set(['zones/b']) }));
  t.same(listOf(table.names()), ['zones', 'zones/a', 'zones/a/x/y', 'zones/b']);
  table.apply(aListing({ readAt: 4, asked: ['zones/b'], missing: ['zones/b'] }));
  t.equal(table.byName('zones/b'), undefined, 'the answer to the question for it alone takes it away');
  t.end();
});

void tap.test('a listing by name replaces the dataset and its children', (t) => {
  const table = aTable('zones', 'zones/a', 'zones/a/data', 'zones/a/disk0', 'zones/b');
  const changes = table.apply(
    aListing({
      readAt: 2,
      asked: ['zones/a'],
      datasets: [aDataset({ name: 'zones/a', quota: 5 }), aDataset({ name: 'zones/a/disk1' })],
    }),
  );
  t.same(listOf(changes.names), ['zones/a', 'zones/a/data', 'zones/a/disk0', 'zones/a/disk1']);
  t.same(listOf(table.names()), ['zones', 'zones/a', 'zones/a/disk1', 'zones/b']);
  t.equal(table.byName('zones/a')?.quota, 5);
  t.end();
});

void tap.test('a dataset that is missing is gone with everything below it', (t) => {
  const table = aTable('zones', 'zones/a', 'zones/a/data', 'zones/a/disk0', 'zones/b');
  const changes = table.apply(
    aListing({ readAt: 2, asked: ['zones/a', 'zones/c'], missing: ['zones/a', 'zones/c'] }),
  );
  t.same(listOf(changes.names), ['zones/a', 'zones/a/data', 'zones/a/disk0']);
  t.same(listOf(changes.mountpoints), ['/zones/a', '/zones/a/disk0']);
  t.end();
});

void tap.test('an older listing never replaces a newer one, in whatever order they end', (t) => {
  const table = aTable('zones', 'zones/a');
  table.apply(
    aListing({ readAt: 5, asked: ['zones/a'], datasets: [aDataset({ name: 'zones/a', quota: 5 })] }),
  );
  const late = table.apply(
    aListing({
      readAt: 3,
      asked: 'everything',
      datasets: [aDataset({ name: 'zones' }), aDataset({ name: 'zones/a', quota: 3 })],
    }),
  );
  t.equal(late.names.size, 0);
  t.equal(table.byName('zones/a')?.quota, 5);
  table.apply(aListing({ readAt: 4, asked: ['zones/a'], missing: ['zones/a'] }));
  t.ok(table.byName('zones/a'), 'nor does it take away what came later');
  t.end();
});

void tap.test('what is learned while a listing is taken in stays, whether or not it has come to it', (t) => {
  for (const stepsBefore of [0, 1, 2, 3, 4]) {
    const table = aTable('zones', 'zones/a', 'zones/b', 'zones/gone');
    table.begin(2);
    const names = ['zones', 'zones/a', 'zones/b', 'zones/late'];
    const datasets = names.map((name) => aDataset({ name, quota: 1 }));
    const steps = table.applying(aListing({ readAt: 2, asked: 'everything', datasets }));
    for (let step = 0; step < stepsBefore; step++) steps.next();
    const newer = [aDataset({ name: 'zones/a', quota: 2 })];
    table.apply(aListing({ readAt: 3, asked: ['zones/a'], datasets: newer }));
    table.forget('zones/b', 4);
    while (steps.next().done !== true);
    table.end(2);
    t.equal(table.byName('zones/a')?.quota, 2, `newer, after ${stepsBefore} steps`);
    t.equal(table.byName('zones/b'), undefined, 'destroyed');
    t.equal(table.byName('zones/late')?.quota, 1);
    t.equal(table.byName('zones/gone'), undefined);
  }
  t.end();
});

void tap.test('what was destroyed while a listing ran does not come back with it', (t) => {
  const datasets = ['zones', 'zones/a', 'zones/a/data', 'zones/b'].map((name) =>
    aDataset({ name, snapshots: [aSnapshot('s1'), aSnapshot('s2')] }),
  );
  const listing = aListing({ readAt: 2, asked: 'everything', datasets });
  for (const known of [true, false]) {
    const table = new DatasetTable();
    if (known) table.apply({ ...listing, readAt: 1 });
    table.begin(2);
    table.forget('zones/a', 3);
    table.forget('zones/b@s1', 4);
    table.apply(listing);
    table.end(2);
    t.same(listOf(table.names()), ['zones', 'zones/b'], `the subtree was ${known ? '' : 'not '}known`);
    t.same(snapshotsOf(table, 'zones/b'), ['s2']);

    table.begin(5);
    table.apply({ ...listing, readAt: 5 });
    table.end(5);
    t.same(
      listOf(table.names()),
      listOf(datasets.map(({ name }) => name)),
      'a later listing brings back what is there again',
    );
    t.same(snapshotsOf(table, 'zones/b'), ['s1', 's2']);
  }
  t.end();
});

void tap.test('what was forgotten is remembered until the last listing that began before is over', (t) => {
  const table = aTable('zones', 'zones/a');
  table.begin(2);
  table.begin(4);
  table.forget('zones/a', 5);
  table.end(4);
  table.apply(aListing({ readAt: 2, asked: ['zones/a'], datasets: [aDataset({ name: 'zones/a' })] }));
  t.equal(table.byName('zones/a'), undefined);
  table.end(2);
  t.end();
});

void tap.test(
  'a snapshot destroyed while its dataset is listed: the rest of the listing still counts',
  (t) => {
    const table = new DatasetTable();
    table.apply(
      aListing({
        readAt: 1,
        asked: 'everything',
        datasets: [aDataset({ name: 'zones/a', snapshots: [aSnapshot('old')] })],
      }),
    );
    table.begin(2);
    table.forget('zones/a@old', 3);
    t.same(snapshotsOf(table, 'zones/a'), []);
    const snapshots = [aSnapshot('old'), aSnapshot('new')];
    table.apply(
      aListing({
        readAt: 2,
        asked: ['zones/a'],
        datasets: [aDataset({ name: 'zones/a', quota: 7, snapshots })],
      }),
    );
    table.end(2);
    t.equal(table.byName('zones/a')?.quota, 7);
    t.same(snapshotsOf(table, 'zones/a'), ['new']);
    t.end();
  },
);

void tap.test('rename: the old subtree is forgotten, the new one listed, and the mountpoint follows', (t) => {
  const table = aTable('zones', 'zones/a', 'zones/a/data');
  const mountpoint = '/zones/a';
  const gone = table.forget('zones/a', 2);
  t.same(listOf(gone.names), ['zones/a', 'zones/a/data']);
  const changes = table.apply(
    aListing({ readAt: 3, asked: ['zones/b'], datasets: [aDataset({ name: 'zones/b', mountpoint })] }),
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
    const table = aTable('zones', 'zones/a');
    table.apply(
      aListing({
        readAt: 2,
        asked: ['zones/copy'],
        datasets: [aDataset({ name: 'zones/copy', mountpoint: '/zones/a' })],
      }),
    );
    t.equal(table.byMountpoint('/zones/a')?.name, 'zones/a', 'the one that has it by default');
    const changes = table.forget(goes, 3);
    t.same(listOf(changes.mountpoints), ['/zones/a']);
    t.equal(table.byMountpoint('/zones/a')?.name, stays);
  }
  t.end();
});

void tap.test('snapshots of a delegated dataset, which no full listing has', (t) => {
  const data = 'zones/a/data';
  const aTableWithHold = () => {
    const table = aTable('zones', 'zones/a', data);
    table.apply(
      aListing({ readAt: 2, asked: [`${data}@indestructible`], snapshots: new Map([[data, hold]]) }),
    );
    return table;
  };
  const full = ['zones', 'zones/a', data].map((name) => aDataset({ name }));

  void t.test('stay when a listing does not have them', (t) => {
    const table = aTableWithHold();
    t.same(snapshotsOf(table, data), ['indestructible']);
    t.equal(table.apply(aListing({ readAt: 3, asked: 'everything', datasets: full })).names.size, 0);
    table.apply(aListing({ readAt: 4, asked: ['zones/a'], datasets: full.slice(1) }));
    t.same(snapshotsOf(table, data), ['indestructible']);
    t.end();
  });

  void t.test('go when one that was named is missing, or its dataset is listed itself', (t) => {
    const missing = aTableWithHold();
    const changes = missing.apply(
      aListing({ readAt: 3, asked: [`${data}@indestructible`], missing: [`${data}@indestructible`] }),
    );
    t.same(listOf(changes.names), [data]);
    t.same(snapshotsOf(missing, data), []);
    const listed = aTableWithHold();
    listed.apply(aListing({ readAt: 3, asked: [data], datasets: full.slice(2) }));
    t.same(snapshotsOf(listed, data), []);
    t.end();
  });

  void t.test('never go back to what they were', (t) => {
    const table = aTableWithHold();
    const released = [aSnapshot('indestructible')];
    table.apply(
      aListing({ readAt: 9, asked: [`${data}@indestructible`], snapshots: new Map([[data, released]]) }),
    );
    table.apply(
      aListing({ readAt: 7, asked: [`${data}@indestructible`], snapshots: new Map([[data, hold]]) }),
    );
    t.equal(table.byName(data)?.snapshots[0]?.userrefs, 0);
    t.end();
  });

  void t.test(
    'are taken from a slow listing, although a quicker one has read the dataset without them since',
    (t) => {
      const table = aTable('zones', 'zones/a', data);
      table.apply(
        aListing({
          readAt: 4,
          asked: ['zones/a'],
          datasets: full.slice(1).map((each) => ({ ...each, quota: 4 })),
        }),
      );
      table.apply(
        aListing({
          readAt: 3,
          asked: ['zones/a', `${data}@indestructible`],
          datasets: [aDataset({ name: 'zones/a' }), aDataset({ name: data, snapshots: hold })],
        }),
      );
      t.equal(table.byName(data)?.quota, 4);
      t.same(snapshotsOf(table, data), ['indestructible']);
      t.end();
    },
  );
  t.end();
});

void tap.test('a snapshot of a dataset that is not known is nothing to hold on to', (t) => {
  const table = aTable('zones');
  const changes = table.apply(
    aListing({
      readAt: 2,
      asked: ['zones/x/data@indestructible'],
      snapshots: new Map([['zones/x/data', hold]]),
    }),
  );
  t.equal(changes.names.size, 0);
  t.equal(table.byName('zones/x/data'), undefined);
  t.equal(table.forget('zones/x@s', 3).names.size, 0);
  t.end();
});
