import tap from 'tap';
import { listZones, parseZoneRecord, parseZoneRecords, readZoneRecord } from '../../lib/host/zoneadm.js';
import { printing, temporaryHost } from './temporary-host.js';

const command = '/usr/sbin/zoneadm';
const uuid = '0b1c3a5e-0000-4000-8000-000000000001';
const global = '0:global:running:/::liveimg:shared:0';
const running = `12:${uuid}:running:/zones/${uuid}:${uuid}:joyent-minimal:excl:14`;

void tap.test('a line', (t) => {
  const record = {
    zoneid: 12,
    zonename: uuid,
    state: 'running',
    zonepath: `/zones/${uuid}`,
    uuid,
    brand: 'joyent-minimal',
    zonedid: 14,
  };
  const cases: [line: string, expected: unknown][] = [
    [running, record],
    [
      `-:${uuid}:installed:/zones/${uuid}:${uuid}:bhyve:excl:`,
      { zoneid: null, zonedid: undefined, brand: 'bhyve' },
    ],
    [`-:${uuid}:configured:::lx:excl:15`, { zonepath: '', uuid, zoneid: null }],
    [`1:db:running:/zones/db:${uuid}:joyent:shared:3`, { zonename: 'db', uuid }],
    [`1:db:running:/zones/a\\:b\\:c:${uuid}:joyent:excl:3`, { zonepath: '/zones/a:b:c', uuid }],
    [`1:db:running:/zones/a\\b:${uuid}:joyent:excl:3`, { zonepath: '/zones/a\\b' }],
    [`1:db:running:/zones/a\\:${uuid}:joyent:excl:3`, { zonepath: '/zones/a\\', uuid }],
    [`1:db:running:/zones/with space:${uuid}:joyent:excl:3`, { zonepath: '/zones/with space' }],
    [global, undefined],
  ];
  for (const [line, expected] of cases) {
    const actual = parseZoneRecord(line);
    if (expected === undefined) t.equal(actual, undefined, line);
    else t.match(actual, expected, line);
  }
  t.same(parseZoneRecord(running), record);
  t.end();
});

void tap.test('a bad line costs only its own zone, and names it', (t) => {
  const bad: [line: string, message: RegExp, zonename: string | undefined][] = [
    [`12:${uuid}:running`, /expected 8 fields, got 3/, uuid],
    [`12:${uuid}:running:/zones/x:${uuid}:joyent:excl`, /expected 8 fields, got 7/, uuid],
    [`12:${uuid}:running:/zones/a:b:${uuid}:joyent:excl:1`, /expected 8 fields, got 9/, uuid],
    [`x:${uuid}:running:/zones/x:${uuid}:joyent:excl:1`, /expected a zone id/, uuid],
    [`1:${uuid}:running:/zones/x:${uuid}:joyent:excl:x`, /expected a debug id/, uuid],
    [`1:${uuid}::/zones/x:${uuid}:joyent:excl:1`, /expected a state/, uuid],
    [`1:${uuid}:running:/zones/x:${uuid}::excl:1`, /expected a brand/, uuid],
    [`1:${uuid}:running:zones/x:${uuid}:joyent:excl:1`, /expected an absolute path/, uuid],
    [`1:db:running:/zones/db::joyent:excl:1`, /no uuid/, 'db'],
    [`1:../etc:running:/zones/db:${uuid}:joyent:excl:1`, /expected the name of a zone/, undefined],
    ['garbage', /expected 8 fields, got 1/, undefined],
  ];
  for (const [line, message, zonename] of bad) {
    const { records, errors } = parseZoneRecords(
      `${global}\n${line}\n${running.replaceAll(uuid, `1${uuid.slice(1)}`)}\n`,
    );
    t.same([...records.keys()], [`1${uuid.slice(1)}`], line);
    t.match(errors, [{ name: 'ParseError', message, zonename, text: line }], line);
  }
  t.throws(() => parseZoneRecords('garbage\n'.repeat(10_000)), { name: 'ParseError' });
  t.end();
});

void tap.test('lists all zones', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, `[ "$*" = "list -p -c" ] || exit 9\n${printing(`${global}\n${running}\n`)}`);
  t.same([...(await listZones(host)).records.keys()], [uuid]);

  await host.script(command, printing(`${global}\n`));
  t.equal((await listZones(host)).records.size, 0, 'an empty host');
});

void tap.test('refuses a listing that cannot be whole', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, 'exit 0');
  await t.rejects(listZones(host), { name: 'ParseError', message: /global zone is missing/ });
  await host.script(command, `${printing(`${global}\n${running}\n`)}\nprintf '13:7d0e'`);
  await t.rejects(listZones(host), { name: 'ParseError', text: '13:7d0e' });
});

void tap.test('reads one zone', async (t) => {
  const host = await temporaryHost(t);
  await host.script(command, `[ "$*" = "-z ${uuid} list -p" ] || exit 9\n${printing(`${running}\n`)}`);
  t.match(await readZoneRecord(host, uuid), { zonename: uuid, zoneid: 12 });

  await host.script(command, 'echo "zoneadm: $2: No such zone configured" >&2; exit 1');
  t.equal(await readZoneRecord(host, uuid), undefined, 'a zone that vanished');

  await host.script(command, 'echo "zoneadm: could not open the index file" >&2; exit 1');
  await t.rejects(readZoneRecord(host, uuid), {
    code: 'EXIT',
    exitCode: 1,
    message: /exited with 1: zoneadm: could not/,
  });

  await host.script(command, `echo '12:${uuid}:running'`);
  await t.rejects(readZoneRecord(host, uuid), { name: 'ParseError', zonename: uuid });

  await host.script(command, 'exit 0');
  await t.rejects(readZoneRecord(host, uuid), { name: 'ParseError', zonename: uuid });
});

void tap.test('a name that could be an option or a path is not passed on', async (t) => {
  const host = await temporaryHost(t);
  await t.rejects(readZoneRecord(host, '-x'), { name: 'RangeError' });
});
