import { symlink } from 'node:fs/promises';
import tap from 'tap';
import { FileError } from '../../lib/host/files.js';
import type { Host } from '../../lib/host/host.js';
import { isZonename, zoneXmlPath, zonenameOfXml } from '../../lib/host/paths.js';
import { readSysinfo } from '../../lib/host/sysinfo.js';
import {
  parseLastExited,
  parseZoneFiles,
  readZoneFiles,
  zoneFileRequest,
} from '../../lib/host/zone-files.js';
import type { FileVersion } from '../../lib/host/zone-files.js';
import type { InputValues, ZoneFile } from '../../lib/vm/inputs.js';
import { eventually } from '../daemon/harness.js';
import { temporaryHost } from './temporary-host.js';

const place = { zonename: 'db', zonepath: '/zones/db', isInstalled: true };
const xml = `<zone name="db" zonepath="/zones/db" brand="joyent"/>`;

/** One file; throws when it cannot be read. */
async function read<F extends ZoneFile>(
  host: Host,
  file: F,
  at: Partial<typeof place> = {},
): Promise<InputValues[F]> {
  const reading = (await readZoneFiles(host, { ...place, ...at }, [file]))[file];
  if (reading?.type === 'failed') throw reading.error;
  if (reading?.type !== 'read') throw new Error(`not read: ${reading?.type ?? 'nothing'}`);
  return reading.value;
}

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
  for (const file of ['xml', 'receiving', 'tags'] as const) {
    const readings = await readZoneFiles(host, { ...place, zonename: '../db' }, [file]);
    t.match(readings[file], { type: 'failed', error: FileError }, file);
  }
});

void tap.test('the XML', async (t) => {
  const host = await temporaryHost(t);
  t.equal(await read(host, 'xml'), undefined, 'none');
  await host.write('/etc/zones/db.xml', xml);
  t.match(await read(host, 'xml'), { value: { properties: { brand: 'joyent' } }, mtimeMs: Number });
  await host.write('/etc/zones/db.xml', '<zone');
  await t.rejects(read(host, 'xml'), { name: 'FileError', message: /is not a zone XML/ });
});

for (const file of ['metadata', 'routes', 'tags'] as const) {
  void tap.test(file, async (t) => {
    const host = await temporaryHost(t);
    const path = `/zones/db/config/${file}.json`;
    t.equal(await read(host, file, { isInstalled: false }), undefined, 'before the zonepath is there');
    await t.rejects(read(host, file), { message: /zones\/db does not exist/ }, 'an installed zone has one');
    await host.write('/zones/db/root/etc/hosts', '');
    t.equal(await read(host, file), undefined, 'before the config directory is there');
    t.equal(await read(host, file, { zonepath: '' }), undefined, 'of a zone without a zonepath');

    await host.write(path, '{"__proto__":{"a":1},"b":[1,null]}\n');
    const value = (await read(host, file))?.value ?? {};
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
      await t.rejects(read(host, file), { name: 'FileError', path: host.path(path), message }, content);
    }
  });
}

void tap.test('several in one trip: one that is bad costs only itself', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/secret.json', '{"root":"secret"}');
  await host.write('/etc/zones/db.xml', xml);
  await host.write('/zones/db/config/metadata.json', '{');
  await host.write('/zones/db/config/routes.json', '{"a":"b"}');
  await symlink(host.path('/secret.json'), host.path('/zones/db/config/tags.json'));
  const files = ['xml', 'metadata', 'tags', 'routes', 'lastexited', 'receiving'] as const;
  const readings = await readZoneFiles(host, place, files);
  t.match(readings, {
    xml: { type: 'read', value: { value: { properties: { brand: 'joyent' } } } },
    metadata: { type: 'failed', error: { message: /metadata\.json: is not JSON/ } },
    tags: { type: 'failed', error: { message: /tags\.json: is a symbolic link/ } },
    routes: { type: 'read', value: { value: { a: 'b' } } },
    lastexited: { type: 'read', value: undefined, version: '' },
    receiving: { type: 'read', value: undefined, version: '' },
  });
});

void tap.test('files that are known and have not changed are not read; if one has, all are', async (t) => {
  const host = await temporaryHost(t);
  await host.write('/etc/zones/db.xml', xml);
  await host.write('/zones/db/config/tags.json', '{"a":"b"}');
  const files = ['xml', 'tags', 'lastexited'] as const;
  const watch = () => {
    const paths = files.flatMap((name) => zoneFileRequest(host, place, name) ?? []);
    host.files.watch('db', () => paths.map((each) => ({ ...each, top: host.path('/') })));
  };
  let versions: Partial<Record<ZoneFile, FileVersion>> = {};
  await eventually(async () => {
    const readings = Object.entries(await readZoneFiles(host, place, files));
    versions = Object.fromEntries(
      readings.map(([name, reading]) => [name, reading.type === 'read' ? reading.version : undefined]),
    );
    return Object.values(versions).every((version) => version !== undefined);
  }, 'their times tell their versions apart');
  const types = async (known = versions) =>
    Object.values(await readZoneFiles(host, place, files, known)).map(({ type }) => type);
  const [read, unchanged] = [
    ['read', 'read', 'read'],
    ['unchanged', 'unchanged', 'unchanged'],
  ];
  t.same(await types(), read, 'nobody watches them, so a change of them may be missed');
  watch();
  t.same(await types(), unchanged);
  t.same(await types({ ...versions, tags: undefined }), read, 'one is not known');
  await host.write('/zones/db/lastexited', '5.5000 0');
  t.same(await types(), read, 'one that was missing is there');
});

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
  await host.write('/zones/db/root/etc/hosts', '');
  t.equal(await read(host, 'lastexited'), undefined, 'a zone that never halted');
  t.equal(await read(host, 'lastexited', { zonepath: '' }), undefined);
  await host.write('/zones/db/lastexited', '');
  t.match(
    await read(host, 'lastexited'),
    { value: undefined, mtimeMs: Number },
    'truncated, not yet written',
  );
  await host.write('/zones/db/lastexited', '5.5000 -1\n');
  t.match(await read(host, 'lastexited'), { value: { microseconds: 5000 }, mtimeMs: Number });
});

void tap.test('files that were read when they changed: all of them as they should be, or none', async (t) => {
  const host = await temporaryHost(t);
  const text = (value: string) => ({ type: 'read', value: { value, mtimeMs: 1 }, version: 'v' }) as const;
  const files = ['tags', 'receiving'] as const;
  t.same(parseZoneFiles(host, place, files, [text('{"a":1}'), text('{"b":2}')]), {
    tags: { type: 'read', value: { value: { a: 1 }, mtimeMs: 1 }, version: 'v' },
    receiving: { type: 'read', value: { b: 2 }, version: 'v' },
  });
  t.equal(parseZoneFiles(host, place, files, [text('{"a":1}'), text('{"b":')]), undefined, 'half written');
  t.equal(parseZoneFiles(host, place, files, [text('{}')]), undefined, 'one is missing');
});

void tap.test('receiving', async (t) => {
  const host = await temporaryHost(t);
  t.equal(await read(host, 'receiving'), undefined);
  await host.write('/etc/zones/db-receiving.json', '{"zfs_filesystem":"zones/db"}');
  t.same(await read(host, 'receiving'), { zfs_filesystem: 'zones/db' });
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
