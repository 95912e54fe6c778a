import tap from 'tap';
import { datasetFields, parseDatasets, parseDatasetsInSlices } from '../../lib/host/zfs-parse.js';
import { mountpointKey } from '../../lib/vm/dataset-table.js';
import { asWeAsk } from './captures.js';

const A = 'zones/aaaaaaaa-0000-4000-8000-00000000000a';
const B = 'zones/bbbbbbbb-0000-4000-8000-00000000000b';
const C = 'zones/cccccccc-0000-4000-8000-00000000000c';

/** A line of `zfs list`, of a filesystem unless overridden. */
function aLine(overrides: Partial<Record<(typeof datasetFields)[number], string>> = {}): string {
  const columns: typeof overrides = {
    name: 'zones/a',
    type: 'filesystem',
    creation: '1795405423',
    compression: 'lz4',
    zoned: 'off',
    mountpoint: '/zones/a',
    ...overrides,
  };
  return `${datasetFields.map((field) => columns[field] ?? '-').join('\t')}\n`;
}

void tap.test('mountpoint is asked for last, as it may hold tabs and newlines', (t) => {
  t.equal(datasetFields.at(-1), 'mountpoint');
  t.end();
});

void tap.test('a real full listing', (t) => {
  const { datasets, snapshots, errors } = parseDatasets(asWeAsk('full-d2-Hp'));
  t.same(errors, []);
  t.equal(snapshots.size, 0, 'every snapshot belongs to a dataset');
  const byName = new Map(datasets.map((dataset) => [dataset.name, dataset]));

  t.same(byName.get(A), {
    name: A,
    type: 'filesystem',
    mountpoint: `/${A}`,
    zoned: false,
    creation: 1795405423,
    compression: 'lz4',
    quota: 10737418240,
    refquota: 0,
    refreservation: 0,
    recsize: 131072,
    usedBySnapshots: 3178496,
    volsize: undefined,
    volblocksize: undefined,
    filesystemLimit: undefined,
    snapshotLimit: undefined,
    snapshots: [
      { name: 'vmsnap-backup1', createdAt: 1795405440, size: 3165184, userrefs: 0 },
      { name: 'vmsnap-backup2', createdAt: 1795405442, size: 3162112, userrefs: 0 },
      { name: 'other', createdAt: 1795405443, size: 0, userrefs: 0 },
      { name: 'indestructible', createdAt: 1795405445, size: 0, userrefs: 1 },
    ],
  });
  t.same(byName.get(`${B}/disk0`), {
    name: `${B}/disk0`,
    type: 'volume',
    mountpoint: `/dev/zvol/rdsk/${B}/disk0`,
    zoned: false,
    creation: 1795405433,
    compression: 'off',
    quota: undefined,
    refquota: undefined,
    refreservation: 0,
    recsize: undefined,
    usedBySnapshots: 0,
    volsize: 1073741824,
    volblocksize: 8192,
    filesystemLimit: undefined,
    snapshotLimit: undefined,
    snapshots: [],
  });
  t.match(byName.get(`${A}/data`), { zoned: true, mountpoint: `/${A}/data` });
  t.match(byName.get(C), { filesystemLimit: 10, snapshotLimit: 20 });
  t.equal(byName.get('zones/var')?.mountpoint, '/zones/var', 'legacy');
  t.equal(byName.get('zones/cores')?.mountpoint, 'none');
  t.equal(byName.get('zones/mptab')?.mountpoint, '/zones/with\ttab');
  t.equal(byName.get('zones/mpnl')?.mountpoint, '/zones/with\nnewline');
  t.equal(byName.get('zones/mputf8')?.mountpoint, '/zones/tête de file');
  t.match(byName.get('zones/name with space'), {
    mountpoint: '/zones/name with space',
    snapshots: [{ name: 'snap with space', size: 24576 }],
  });
  t.end();
});

void tap.test('real listings of less', (t) => {
  const cases: Record<string, [datasets: string[], snapshots: Record<string, string[]>]> = {
    'A-d1-Hp': [[A, `${A}/data`], {}],
    'B-d1-Hp': [[B, `${B}/disk0`, `${B}/disk1`], {}],
    'space-name': [['zones/name with space'], {}],
    'volume-single-Hp': [[`${B}/disk0`], {}],
    'snapshot-held-single-Hp': [[], { [A]: ['indestructible'] }],
    'snapshot-single-Hp': [[], { [A]: ['vmsnap-backup1'] }],
    nonexistent: [[], {}],
  };
  for (const [name, [datasets, snapshots]] of Object.entries(cases)) {
    const listing = parseDatasets(asWeAsk(name));
    t.same(
      listing.datasets.map((dataset) => dataset.name),
      datasets,
      name,
    );
    t.same(
      Object.fromEntries(
        [...listing.snapshots].map(([dataset, list]) => [dataset, list.map((each) => each.name)]),
      ),
      snapshots,
      name,
    );
    t.same(listing.errors, [], name);
  }
  t.end();
});

void tap.test('mountpoints', (t) => {
  const cases: [Parameters<typeof aLine>[0], mountpoint: string, key: string | undefined][] = [
    [{}, '/zones/a', '/zones/a'],
    [{ mountpoint: 'legacy' }, '/zones/a', '/zones/a'],
    [{ mountpoint: '-' }, '/zones/a', '/zones/a'],
    [{ mountpoint: 'none' }, 'none', undefined],
    [{ zoned: 'on' }, '/zones/a', undefined],
    [{ type: 'volume', mountpoint: '-', zoned: '-' }, '/dev/zvol/rdsk/zones/a', '/dev/zvol/rdsk/zones/a'],
    [{ name: 'zones/a/data', mountpoint: '/zones/b' }, '/zones/b', undefined],
    [{ name: 'zones/data', mountpoint: '/zones/data' }, '/zones/data', '/zones/data'],
    [{ name: 'zones/a/b/data', mountpoint: '/x' }, '/x', '/x'],
    [{ mountpoint: '/a\tb' }, '/a\tb', '/a\tb'],
    [{ mountpoint: '/a\n\nb\t\tc\n' }, '/a\n\nb\t\tc\n', '/a\n\nb\t\tc\n'],
  ];
  for (const [overrides, mountpoint, key] of cases) {
    const { datasets, errors } = parseDatasets(aLine(overrides) + aLine({ name: 'zones/z' }));
    t.same(errors, []);
    const [dataset] = datasets;
    t.equal(dataset?.mountpoint, mountpoint);
    t.equal(dataset && mountpointKey(dataset), key, `${JSON.stringify(overrides)} is found at`);
  }
  t.end();
});

void tap.test('a bad line costs only itself', (t) => {
  const bad = {
    'too few columns': 'zones/b\tfilesystem\n',
    'a type that we did not ask for': aLine({ type: 'bookmark', name: 'zones/b#x' }),
    'a snapshot that has no name': aLine({ type: 'snapshot', name: 'zones/b' }),
    'a filesystem with a snapshot name': aLine({ name: 'zones/b@x' }),
    'an empty name': aLine({ name: '' }),
    'a size that is no number': aLine({ name: 'zones/b', quota: '10G' }),
    'an empty number': aLine({ name: 'zones/b', creation: '' }),
  };
  for (const [name, line] of Object.entries(bad)) {
    const volume = aLine({ name: 'zones/v', type: 'volume', mountpoint: '-' });
    const { datasets, errors } = parseDatasets(volume + line + aLine());
    t.same(
      datasets.map((dataset) => dataset.name),
      ['zones/v', 'zones/a'],
      name,
    );
    t.match(errors, [{ name: 'ParseError', source: 'zfs list', text: line.trimEnd() }], name);
  }
  t.throws(() => parseDatasets('garbage\n'.repeat(10_000)), { name: 'ParseError' });
  t.end();
});

void tap.test('a long listing, in slices, reads the same and lets others have their turn', async (t) => {
  const text = Array.from({ length: 3_000 }, (_, index) => {
    const name = `zones/zone-${index}`;
    return (
      aLine({ name }) + aLine({ name: `${name}@vmsnap-x`, type: 'snapshot', userrefs: '1', written: '5' })
    );
  }).join('');
  let turns = 0;
  let parsing = true;
  const turn = () => {
    turns += 1;
    if (parsing) setImmediate(turn);
  };
  setImmediate(turn);
  const listing = await parseDatasetsInSlices(text);
  parsing = false;
  t.equal(listing.datasets.length, 3_000);
  t.same(listing, parseDatasets(text));
  t.ok(turns >= 2, `${turns} turns of the event loop`);
});
