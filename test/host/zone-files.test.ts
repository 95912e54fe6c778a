import tap from 'tap';
import { isZonename, zoneXmlPath, zonenameOfXml } from '../../lib/host/paths.js';
import { readSysinfo } from '../../lib/host/sysinfo.js';
import {
  parseLastExited,
  readLastExited,
  readMetadata,
  readReceiving,
  readRoutes,
  readTags,
  readZoneXml,
} from '../../lib/host/zone-files.js';
import { temporaryHost } from './temporary-host.js';

const zonepath = '/zones/db';
const jsonReaders = {
  'metadata.json': readMetadata,
  'routes.json': readRoutes,
  'tags.json': readTags,
} as const;

void tap.test('zone names', (t) => {
  const names: Record<string, boolean> = {
    '0b1c3a5e-0000-4000-8000-000000000001': true,
    db: true,
    'a.b_c-1': true,
    [`a${'x'.repeat(63)}`]: true,
    [`a${'x'.repeat(64)}`]: false,
    '': false,
    '.': false,
    '..': false,
    '../db': false,
    'a/b': false,
    'a\0': false,
    'a\n': false,
    '-z': false,
    global: false,
    SUNWdefault: false,
  };
  for (const [name, expected] of Object.entries(names))
    t.equal(isZonename(name), expected, JSON.stringify(name));
  t.equal(zonenameOfXml('db.xml'), 'db');
  for (const other of ['SUNWblank.xml', 'index', 'db-receiving.json', '.xml', 'db.xml.tmp', 'db']) {
    t.equal(zonenameOfXml(other), undefined, other);
  }
  t.end();
});

void tap.test('no name leads out of its directory', async (t) => {
  const host = await temporaryHost(t);
  t.equal(zoneXmlPath(host, 'db'), `${host.root}/etc/zones/db.xml`);
  t.throws(() => zoneXmlPath(host, '../db'), { name: 'RangeError' });
  await t.rejects(readZoneXml(host, '../db'), { name: 'RangeError' });
  await t.rejects(readReceiving(host, '../db'), { name: 'RangeError' });
});

void tap.test('the XML is read as text', async (t) => {
  const host = await temporaryHost(t);
  t.equal(await readZoneXml(host, 'db'), undefined);
  await host.write('/etc/zones/db.xml', '<zone name="db"/>\n');
  t.match(await readZoneXml(host, 'db'), { value: '<zone name="db"/>\n', mtimeMs: Number });
});

for (const [file, read] of Object.entries(jsonReaders)) {
  void tap.test(file, async (t) => {
    const host = await temporaryHost(t);
    const path = `${zonepath}/config/${file}`;
    t.equal(await read(host, zonepath), undefined, 'before the config directory is there');
    t.equal(await read(host, ''), undefined, 'of a zone without a zonepath');

    await host.write(path, '{"__proto__":{"a":1},"b":[1,null]}\n');
    const value = (await read(host, zonepath))?.value ?? {};
    t.same(Object.keys(value), ['__proto__', 'b'], 'a __proto__ key is like any other');
    t.equal(JSON.stringify(value), '{"__proto__":{"a":1},"b":[1,null]}');
    t.equal(({} as Record<string, unknown>)['a'], undefined);

    for (const [content, message] of [
      ['{"a":', /is not JSON/],
      ['', /is not JSON/],
      ['[]', /expected a JSON object, got an array/],
      ['null', /expected a JSON object, got null/],
      ['"a"', /expected a JSON object, got a string/],
    ] as const) {
      await host.write(path, content);
      await t.rejects(read(host, zonepath), { name: 'FileError', path: host.path(path), message }, content);
    }
  });
}

void tap.test('lastexited', async (t) => {
  const cases: [text: string, expected: unknown][] = [
    ['1430183276.250000 256\n', { seconds: 1430183276, microseconds: 250000, waitStatus: 256 }],
    ['5.5000 -1', { seconds: 5, microseconds: 5000, waitStatus: -1 }],
    ['5.0 9\n', { seconds: 5, microseconds: 0, waitStatus: 9 }],
    ['', undefined],
    ['5.5000', undefined],
    ['5.5000 ', undefined],
    ['5.5000 1 2', undefined],
    ['5 1', undefined],
    ['5.x 1', undefined],
  ];
  for (const [text, expected] of cases) t.same(parseLastExited(text), expected, JSON.stringify(text));

  const host = await temporaryHost(t);
  t.equal(await readLastExited(host, zonepath), undefined, 'a zone that never halted');
  t.equal(await readLastExited(host, ''), undefined);
  await host.write('/zones/db/lastexited', '');
  t.match(
    await readLastExited(host, zonepath),
    { value: undefined, mtimeMs: Number },
    'truncated, not yet written',
  );
  await host.write('/zones/db/lastexited', '5.5000 -1\n');
  t.match(await readLastExited(host, zonepath), { value: { microseconds: 5000 }, mtimeMs: Number });
});

void tap.test('receiving', async (t) => {
  const host = await temporaryHost(t);
  t.equal(await readReceiving(host, 'db'), undefined);
  await host.write('/etc/zones/db-receiving.json', '{"zfs_filesystem":"zones/db"}');
  t.same(await readReceiving(host, 'db'), { zfs_filesystem: 'zones/db' });
});

void tap.test('sysinfo', async (t) => {
  const host = await temporaryHost(t);
  t.equal(await readSysinfo(host), undefined);
  const known = { UUID: 'u', 'Datacenter Name': 'dc', 'Live Image': '20261123T000000Z' };
  await host.write('/tmp/.sysinfo.json', JSON.stringify({ ...known, Hostname: 'gz', 'Headnode ID': null }));
  t.same(await readSysinfo(host), known);
  await host.write('/tmp/.sysinfo.json', '{');
  await t.rejects(readSysinfo(host), { name: 'FileError' });
});
