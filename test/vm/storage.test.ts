import tap from 'tap';
import { assemble } from '../../lib/vm/assemble.js';
import { datasetsOf } from '../../lib/vm/storage.js';
import { aDataset, aVolume, aZoneXml, someInputs, someUuid } from './factories.js';

const root = `zones/${someUuid}`;
const GiB = 2 ** 30;
const MiB = 2 ** 20;

function disksXml(...names: readonly string[]): string {
  return names.map((name) => `<device match="/dev/zvol/rdsk/${name}"/>`).join('');
}

void tap.test('without a root dataset', (t) => {
  const { vm } = assemble(someInputs({ datasets: [aDataset({ name: 'zones' })] }));
  t.strictSame(vm.snapshots, []);
  for (const name of ['zfs_filesystem', 'zpool', 'quota', 'create_timestamp', 'missing']) {
    t.notOk(name in vm, name);
  }
  t.end();
});

void tap.test('the root dataset is the one mounted at the zonepath, whatever its name', (t) => {
  const datasets = [
    aDataset({ name: 'tank/a/b', mountpoint: `/zones/${someUuid}` }),
    aDataset({ name: 'x' }),
  ];
  t.match(assemble(someInputs({ datasets })).vm, { zfs_filesystem: 'tank/a/b', zpool: 'tank' });
  t.end();
});

void tap.test('quota is in GiB, refquota for bhyve', (t) => {
  const quota = (brand: string, sizes: { quota?: number; refquota?: number | undefined }) =>
    assemble(someInputs({ record: { brand }, datasets: [aDataset({ name: root, ...sizes })] })).vm.quota;
  t.equal(quota('joyent', { quota: 20 * GiB, refquota: GiB }), 20);
  t.equal(quota('bhyve', { quota: 20 * GiB, refquota: GiB }), 1);
  t.equal(quota('kvm', { quota: 1.5 * GiB }), 1.5);
  t.equal(quota('lx', { quota: 0 }), 0, 'none');
  t.equal(quota('bhyve', { refquota: undefined }), 0, 'none');
  t.end();
});

void tap.test('create_timestamp comes from the root dataset only if the XML has none', (t) => {
  const datasets = [aDataset({ name: root, creation: 1_600_000_000 })];
  t.equal(assemble(someInputs({ datasets })).vm.create_timestamp, '2020-09-13T12:26:40.000Z');
  const xml = aZoneXml({ attrs: { 'create-timestamp': '2026-11-23T10:00:00.123Z' } });
  t.equal(assemble(someInputs({ xml, datasets })).vm.create_timestamp, '2026-11-23T10:00:00.123Z');
  t.end();
});

void tap.test('compression that is off and limits that are not set are left out', (t) => {
  const { vm } = assemble(
    someInputs({ datasets: [aDataset({ name: root }), aDataset({ name: `${root}/data` })] }),
  );
  t.notOk('zfs_root_compression' in vm);
  t.notOk('zfs_data_compression' in vm);
  t.notOk('zfs_filesystem_limit' in vm);
  t.notOk('zfs_snapshot_limit' in vm);
  t.match(vm, { zfs_root_recsize: 131072, zfs_data_recsize: 131072 });

  const limits = { filesystemLimit: 0, snapshotLimit: 0 };
  t.match(
    assemble(someInputs({ datasets: [aDataset({ name: root, ...limits })] })).vm,
    { zfs_filesystem_limit: 0, zfs_snapshot_limit: 0 },
    'a limit of 0 is one',
  );
  t.end();
});

void tap.test('indestructible: only a held snapshot of that name', (t) => {
  const flags = (name: string, userrefs: number) => {
    const snapshots = [{ name, createdAt: 1, size: 0, userrefs }];
    const datasets = [aDataset({ name: root, snapshots }), aDataset({ name: `${root}/data`, snapshots })];
    const { vm } = assemble(someInputs({ datasets }));
    return [vm.indestructible_zoneroot, vm.indestructible_delegated];
  };
  t.strictSame(flags('indestructible', 1), [true, true]);
  t.strictSame(flags('indestructible', 0), [undefined, undefined]);
  t.strictSame(flags('other', 1), [undefined, undefined]);
  t.end();
});

void tap.test('disks', (t) => {
  const known = aVolume({ name: `${root}/disk0`, volsize: 10 * GiB, refreservation: 10 * GiB + 1 });
  const { vm } = assemble(
    someInputs({
      record: { brand: 'bhyve' },
      xml: aZoneXml({ children: `${disksXml(`${root}/disk0`, `${root}/disk1`)}<device/>` }),
      datasets: [known],
    }),
  );
  t.strictSame(vm.disks, [
    {
      path: `/dev/zvol/rdsk/${root}/disk0`,
      zfs_filesystem: `${root}/disk0`,
      zpool: 'zones',
      size: 10240,
      compression: 'off',
      refreservation: 10241,
      block_size: 8192,
    },
    {},
    { path: `/dev/zvol/rdsk/${root}/disk1`, missing: true },
  ]);
  t.end();
});

void tap.test('disks that are known, although the root dataset is not', (t) => {
  const { vm } = assemble(
    someInputs({
      xml: aZoneXml({ children: disksXml('zones/x') }),
      datasets: [aVolume({ name: 'zones/x' })],
    }),
  );
  t.match(vm.disks, [{ size: 10240 }]);
  t.end();
});

void tap.test('a filesystem mounted where a volume should be is no disk', (t) => {
  const datasets = [aDataset({ name: 'zones/x', mountpoint: '/dev/zvol/rdsk/zones/x' })];
  const { vm } = assemble(someInputs({ xml: aZoneXml({ children: disksXml('zones/x') }), datasets }));
  t.strictSame(vm.disks, [{ path: '/dev/zvol/rdsk/zones/x', missing: true }]);
  t.end();
});

void tap.test("snapshots are vmadm's, newest first", (t) => {
  const snapshots = [
    { name: 'vmsnap-a', createdAt: 100, size: MiB, userrefs: 0 },
    { name: 'final', createdAt: 150, size: 0, userrefs: 0 },
    { name: 'vmsnap-b', createdAt: 200, size: MiB / 2, userrefs: 0 },
    { name: 'vmsnap-c', createdAt: 200, size: 0, userrefs: 0 },
    { name: 'vmsnap-', createdAt: 50, size: 0, userrefs: 0 },
  ];
  const { vm } = assemble(someInputs({ datasets: [aDataset({ name: root, snapshots })] }));
  t.strictSame(vm.snapshots, [
    { name: 'c', size: 0, created_at: '1970-01-01T00:03:20.000Z' },
    { name: 'b', size: 0.5, created_at: '1970-01-01T00:03:20.000Z' },
    { name: 'a', size: 1, created_at: '1970-01-01T00:01:40.000Z' },
    { name: '', size: 0, created_at: '1970-01-01T00:00:50.000Z' },
  ]);
  t.end();
});

void tap.test('free_space', (t) => {
  const free = (brand: string, flexible: string | undefined, ...volumes: readonly (object | undefined)[]) => {
    const names = volumes.map((_, index) => `${root}/disk${index}`);
    const attrs = flexible === undefined ? {} : { 'flexible-disk-size': flexible };
    return assemble(
      someInputs({
        record: { brand },
        xml: aZoneXml({ attrs, children: disksXml(...names) }),
        datasets: volumes.flatMap((volume, index) =>
          volume ? [aVolume({ name: names[index] ?? '', volsize: 1000 * MiB, ...volume })] : [],
        ),
      }),
    ).vm.free_space;
  };
  t.equal(free('bhyve', '3000', {}, {}), 1000);
  t.equal(free('bhyve', '3000', {}, { usedBySnapshots: 1 }), 999, 'rounded down');
  t.equal(
    free('bhyve', '3000', { usedBySnapshots: MiB / 2 }, { usedBySnapshots: MiB / 2 }),
    999,
    'the sum is',
  );
  t.equal(free('bhyve', '1500', {}, {}), -500);
  t.equal(free('bhyve', '3000'), 3000, 'no disks');
  t.equal(free('bhyve', '3000', {}, undefined), undefined, 'a disk is missing');
  t.equal(free('bhyve', undefined, {}), undefined);
  t.equal(free('kvm', '3000', {}), undefined);
  t.end();
});

void tap.test('receiving', (t) => {
  const xml = aZoneXml({
    attrs: { transition: 'receiving:stopped:5' },
    children: `<dataset name="${root}/data"/><dataset name="tank/there"/>
      <filesystem special="/a" directory="/b" type="lofs"/>
      ${disksXml(`${root}/disk0`, `${root}/disk1`)}`,
  });
  const record = { state: 'installed', zoneid: null };
  const always = [aDataset({ name: 'tank/there' }), aVolume({ name: `${root}/disk1` })];
  const missing = (datasets: readonly string[]) => ({
    datasets,
    disks: [`/dev/zvol/rdsk/${root}/disk0`],
    filesystems: ['/a'],
  });

  void t.test('nothing names the root dataset: the zonepath does', (t) => {
    const { vm } = assemble(someInputs({ record, xml, datasets: always }));
    t.strictSame(vm.missing, missing([root, `${root}/data`]));
    t.notOk('zfs_filesystem' in vm);
    t.end();
  });
  void t.test('it is mounted', (t) => {
    const { vm } = assemble(
      someInputs({
        record,
        xml,
        datasets: [...always, aDataset({ name: 'tank/r', mountpoint: `/${root}` })],
      }),
    );
    t.strictSame(vm.missing, missing(['tank/r', `${root}/data`]));
    t.equal(vm.zfs_filesystem, 'tank/r');
    t.end();
  });
  void t.test('the receiving file names it, before it is there', (t) => {
    const receiving = { zfs_filesystem: 'tank/r' };
    const { vm } = assemble(someInputs({ record, xml, receiving, datasets: always }));
    t.strictSame(vm.missing, missing(['tank/r', `${root}/data`]));
    t.match(vm, { zfs_filesystem: 'tank/r', zpool: 'tank', snapshots: [] });
    t.notOk('quota' in vm);
    t.end();
  });
  void t.test('the receiving file names it, and it is there but not mounted', (t) => {
    const receiving = { zfs_filesystem: 'tank/r' };
    const datasets = [...always, aDataset({ name: 'tank/r', mountpoint: '/elsewhere', quota: GiB })];
    t.match(assemble(someInputs({ record, xml, receiving, datasets })).vm, {
      zfs_filesystem: 'tank/r',
      quota: 1,
    });
    t.end();
  });
  void t.test('what is mounted counts before the receiving file, which may hold anything', (t) => {
    const datasets = [...always, aDataset({ name: root })];
    for (const zfs_filesystem of ['tank/r', 5, null, '', ['x']]) {
      const { vm } = assemble(someInputs({ record, xml, receiving: { zfs_filesystem }, datasets }));
      t.equal(vm.zfs_filesystem, root);
    }
    t.notOk('zfs_filesystem' in assemble(someInputs({ record, xml, receiving: { zfs_filesystem: 5 } })).vm);
    t.end();
  });
  void t.test('in any other state it is not looked at', (t) => {
    const { vm } = assemble(someInputs({ receiving: { zfs_filesystem: 'tank/r' } }));
    t.notOk('zfs_filesystem' in vm);
    t.notOk('missing' in vm);
    t.end();
  });
  t.end();
});

void tap.test('a zone without zonepath', (t) => {
  const xml = aZoneXml({ children: disksXml('zones/x') });
  for (const state of ['configured', 'incomplete']) {
    const { vm } = assemble(someInputs({ record: { state, zonepath: '' }, xml }));
    t.notOk('snapshots' in vm, state);
    t.strictSame(vm.disks, [{ path: '/dev/zvol/rdsk/zones/x' }]);
  }
  t.strictSame(assemble(someInputs({ record: { state: 'configured' } })).vm.snapshots, []);
  t.strictSame(assemble(someInputs({ record: { state: 'installed', zonepath: '' } })).vm.snapshots, []);
  t.strictSame(
    assemble(someInputs({ record: { state: 'configured', zonepath: '', brand: 'kvm' } })).vm.disks,
    [],
  );
  t.end();
});

void tap.test('the datasets that a VM depends on', (t) => {
  const xml = aZoneXml({
    children: `<dataset name="tank/given"/>${disksXml(`${root}/disk0`, `${root}-disk1`)}
      <device match="/dev/other"/><device match="/dev/ppt0"><net-attr name="model" value="passthru"/></device>`,
  });
  const others = [`${root}/disk0`, `${root}-disk1`, 'tank/given'];
  t.strictSame(datasetsOf(someInputs({ xml })), [root, `${root}/data`, ...others], 'before any exists');
  t.strictSame(
    datasetsOf(someInputs({ xml, datasets: [aDataset({ name: 'a/b', mountpoint: `/${root}` })] })),
    ['a/b', 'a/b/data', ...others],
    'the root dataset is known',
  );
  t.strictSame(
    datasetsOf(someInputs({ xml, receiving: { zfs_filesystem: 'tank/r' } })),
    [root, 'tank/r', `${root}/data`, 'tank/r/data', ...others],
    'a file says what is being received',
  );
  t.strictSame(datasetsOf(someInputs({ record: { zonepath: '' } })), [], 'no zonepath');
  t.strictSame(datasetsOf(someInputs({ record: { zonepath: '/' } })), []);
  t.end();
});

void tap.test('what was made of snapshots is the same for as long as they are', (t) => {
  const snapshots = ['a', 'b', 'c'].map((name, n) => ({
    name: `vmsnap-${name}`,
    createdAt: n,
    size: 0,
    userrefs: 0,
  }));
  const shown = (each: typeof snapshots, quota: number) =>
    assemble(someInputs({ datasets: [aDataset({ name: root, snapshots: each, quota })] })).vm.snapshots;
  const before = shown(snapshots, 1);
  t.equal(before?.length, 3);
  t.equal(shown(snapshots, 2), before, 'another quota');
  const after = shown([...snapshots, { name: 'vmsnap-d', createdAt: 9, size: 0, userrefs: 0 }], 2);
  t.match(after, [{ name: 'd' }]);
  t.ok(
    before?.every((each, n) => after?.[n + 1] === each),
    'one more',
  );
  t.end();
});

void tap.test('snapshots from one listing to the next are as if they were listed for the first time', (t) => {
  const listed = (...all: readonly (readonly [name: string, createdAt: number])[]) =>
    all.map(([name, createdAt]) => ({ name, createdAt, size: 0, userrefs: 0 }));
  const names = (snapshots: ReturnType<typeof listed>) =>
    assemble(someInputs({ datasets: [aDataset({ name: root, snapshots })] })).vm.snapshots?.map(
      ({ name }) => name,
    );
  const first = listed(['other', 1], ['vmsnap-a', 2], ['vmsnap-b', 4]);
  t.strictSame(names(first), ['b', 'a']);
  const next: Readonly<Record<string, readonly [ReturnType<typeof listed>, readonly string[]]>> = {
    'a newer one': [listed(['vmsnap-c', 5]), ['c', 'b', 'a']],
    'one of the same second': [listed(['vmsnap-c', 4]), ['c', 'b', 'a']],
    'an older one, as the clock was set back': [listed(['vmsnap-c', 3]), ['b', 'c', 'a']],
    'several, not in order': [listed(['vmsnap-d', 7], ['vmsnap-c', 5]), ['d', 'c', 'b', 'a']],
    "one that is not vmadm's": [listed(['daily', 9]), ['b', 'a']],
  };
  for (const [what, [news, expected]] of Object.entries(next)) {
    t.strictSame(names([...first, ...news]), expected, what);
    t.strictSame(
      names([...first, ...news, ...listed(['vmsnap-z', 9])]),
      ['z', ...expected],
      `${what}, and more`,
    );
    t.strictSame(names(first), ['b', 'a'], `without ${what}`);
  }
  t.strictSame(names(first.slice(1)), ['b', 'a'], 'the oldest is gone');
  const others = listed(['x', 1], ['y', 2]);
  t.strictSame(names(others), []);
  t.strictSame(names([...others, ...listed(['vmsnap-a', 1])]), ['a'], "the first of vmadm's");
  t.end();
});
