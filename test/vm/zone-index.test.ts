import tap from 'tap';
import { ZoneIndex, type DatasetUse, type ZoneDependencies } from '../../lib/vm/zone-index.js';

function aZone(root: string, ...more: string[]): ZoneDependencies {
  return { zonepath: `/${root}`, root, datasets: [root, `${root}/data`, ...more] };
}

/** Two zones, one of them with a disk beside its root as in the old layout. */
function anIndex(): ZoneIndex {
  const index = new ZoneIndex();
  index.set('a', aZone('zones/a'));
  index.set('b', aZone('zones/b', 'zones/b/disk0', 'zones/b-disk1'));
  return index;
}

void tap.test('use: how a dataset matters', (t) => {
  const index = anIndex();
  const cases: readonly [dataset: string, use: DatasetUse, why: string][] = [
    ['zones/a', 'used', 'a root'],
    ['zones/a/data', 'used', 'a delegated dataset'],
    ['zones/a/data/sub', 'delegated', 'below a delegated dataset'],
    ['zones/a/data/sub/sub', 'delegated', 'deep below a delegated dataset'],
    ['zones/b/disk0', 'used', 'a disk in the new layout'],
    ['zones/b-disk1', 'used', 'a disk in the old layout'],
    ['zones/a/disk7', 'used', 'below a root: may be a disk to come'],
    ['zones/a/other/deep', 'used', 'deep below a root'],
    ['zones/c', 'unused', 'may be the root of a zone to come'],
    ['zones/1111aaaa', 'unused', 'an image, which looks like a root'],
    ['tank/c', 'unused', 'the same on a pool without VMs'],
    ['zones', 'foreign', 'the pool itself'],
    ['tank', 'foreign', 'another pool'],
    ['zones/var/log', 'foreign', 'deeper, and below no root'],
    ['zones/ab/data', 'foreign', 'below what only begins like a root'],
  ];
  for (const [dataset, use, why] of cases) t.equal(index.use(dataset), use, `${dataset}: ${why}`);
  t.end();
});

void tap.test('from dataset and mountpoint to zones', (t) => {
  const index = anIndex();
  index.set('c', aZone('zones/c', 'zones/b-disk1'));
  t.same([...index.zonesOf('zones/b-disk1')], ['b', 'c'], 'a dataset may be used by several');
  t.same([...index.zonesOf('zones/nobody')], []);
  t.equal(index.zoneAt('/zones/a'), 'a');
  t.equal(index.zoneAt('/zones'), undefined);
  t.ok(index.isRoot('zones/a'));
  t.notOk(index.isRoot('zones/b-disk1'));
  t.end();
});

void tap.test('hasUsedBelow: also of what is not in the root', (t) => {
  const index = new ZoneIndex();
  const datasets = ['zones/a', 'zones/a/disk0', 'tank/a/disk1'];
  index.set('a', { zonepath: '/zones/a', root: 'zones/a', datasets });
  for (const dataset of ['zones', 'tank', 'tank/a']) t.ok(index.hasUsedBelow(dataset), dataset);
  for (const dataset of ['zones/a', 'tank/a/disk1']) t.notOk(index.hasUsedBelow(dataset), dataset);
  index.remove('a');
  for (const dataset of ['zones', 'tank', 'tank/a']) t.notOk(index.hasUsedBelow(dataset), dataset);
  t.end();
});

void tap.test('hasUsedBelow: whether descendants inherit', (t) => {
  const index = new ZoneIndex();
  index.set('a', aZone('zones/vms/a'));
  for (const dataset of ['zones', 'zones/vms']) t.ok(index.hasUsedBelow(dataset), dataset);
  for (const dataset of ['zones/vms/a', 'zones/vms/a/data', 'tank', 'zone'])
    t.notOk(index.hasUsedBelow(dataset), dataset);
  index.set('b', aZone('zones/vms/b'));
  index.remove('a');
  t.ok(index.hasUsedBelow('zones/vms'), 'one is left');
  index.remove('b');
  t.notOk(index.hasUsedBelow('zones'), 'none is');
  t.end();
});

void tap.test('a zone that changes or goes leaves nothing behind', (t) => {
  const index = anIndex();
  index.set('b', aZone('zones/b2'));
  for (const dataset of ['zones/b', 'zones/b/disk0', 'zones/b-disk1'])
    t.same([...index.zonesOf(dataset)], [], dataset);
  t.equal(index.zoneAt('/zones/b'), undefined);
  t.notOk(index.isRoot('zones/b'));
  t.same(index.dependencies('b'), aZone('zones/b2'));
  index.remove('a');
  index.remove('b');
  index.remove('never there');
  t.same([...index.usedDatasets()], []);
  t.notOk(index.hasUsedBelow('zones'));
  t.end();
});

void tap.test('a zonepath taken over by another zone stays with that one', (t) => {
  const index = anIndex();
  index.set('new', aZone('zones/a'));
  index.remove('a');
  t.equal(index.zoneAt('/zones/a'), 'new');
  t.ok(index.isRoot('zones/a'));
  t.end();
});

void tap.test('a zone without a zonepath has no root', (t) => {
  const index = new ZoneIndex();
  index.set('a', { zonepath: '', root: undefined, datasets: ['zones/a-disk0'] });
  t.same([...index.zonesOf('zones/a-disk0')], ['a']);
  t.ok(index.hasUsedBelow('zones'));
  index.remove('a');
  t.same([...index.usedDatasets()], []);
  t.end();
});
