import tap from 'tap';
import { parseKstats, readKstat, readKstats } from '../../lib/host/kstat.js';
import { printing, temporaryHost } from './temporary-host.js';

const command = '/usr/bin/kstat';

/** An element as kstat prints it. */
function aKstat(zonename: string, instance: number, data: object = {}): string {
  const all = {
    avenrun_15min: 0,
    boot_time: 1430183276,
    init_pid: 6841,
    init_restarts: 2,
    ...data,
    zonename,
  };
  const name = zonename.slice(0, 30);
  return `{\n\t"module": "zones",\n\t"instance": ${instance},\n\t"name": ${JSON.stringify(name)},\n\t"class": "zone_misc",\n\t"data": ${JSON.stringify(all)}\n}`;
}

void tap.test('the zones that the kernel runs, by their full names, without the global zone', (t) => {
  const uuid = '0b1c3a5e-0000-4000-8000-000000000001';
  const { kstats, errors } = parseKstats(
    `[${aKstat('global', 0)}, ${aKstat(uuid, 12)}, ${aKstat('ready', 13, { init_pid: 0, boot_time: 0 })}]\n`,
  );
  t.same(
    kstats,
    new Map([
      [uuid, { zonename: uuid, zoneid: 12, initPid: 6841, initRestarts: 2, bootTime: 1430183276 }],
      ['ready', { zonename: 'ready', zoneid: 13, initPid: 0, initRestarts: 2, bootTime: 0 }],
    ]),
  );
  t.same(errors, []);
  t.end();
});

void tap.test('an escaped question mark is mended, an escaped backslash before one is left', (t) => {
  const { kstats } = parseKstats(
    `[${aKstat('a', 1, { note: 'MENDED' }).replace('MENDED', '\\?\\\\?\\"\\\\\\?')}]`,
  );
  t.ok(kstats.has('a'));
  t.end();
});

void tap.test('an element that is not a kstat costs only its own zone', (t) => {
  const bad = ['null', '5', '{}', '{"data":null}', aKstat('b', 2, { init_pid: 'x' })];
  const { kstats, errors } = parseKstats(`[${[...bad, aKstat('a', 1)].join(', ')}]`);
  t.same([...kstats.keys()], ['a']);
  t.equal(errors.length, bad.length);
  t.match(errors.at(-1), { name: 'ParseError', zonename: 'b' });
  t.end();
});

void tap.test('what is not an array of JSON is an error', (t) => {
  for (const text of ['', '{}', '[{"module":"zones"', 'kstat: cannot open /dev/kstat']) {
    t.throws(() => parseKstats(text), { name: 'ParseError', source: 'kstat' }, text);
  }
  t.end();
});

void tap.test('reads the kstats; none at all is not an error', async (t) => {
  const host = await temporaryHost(t);
  await host.script(
    command,
    `[ "$*" = "-j -m zones -c zone_misc" ] || exit 9\n${printing(`[${aKstat('a', 1)}]\n`)}`,
  );
  t.same([...(await readKstats(host)).kstats.keys()], ['a']);
  await host.script(command, 'echo "[]"; exit 1');
  t.equal((await readKstats(host)).kstats.size, 0);
  await host.script(command, 'echo "kstat: no" >&2; exit 1');
  await t.rejects(readKstats(host), { code: 'EXIT', stderr: 'kstat: no\n' });
});

void tap.test('one zone by its number: only if that is still its own', async (t) => {
  const host = await temporaryHost(t);
  const wanted = '[ "$*" = "-j -m zones -c zone_misc -i 12" ] || exit 9';
  await host.script(command, `${wanted}\n${printing(`[${aKstat('a', 12)}]\n`)}`);
  t.match(await readKstat(host, 'a', 12), { zonename: 'a', zoneid: 12 });
  t.equal(await readKstat(host, 'b', 12), undefined, 'another has it now');
  await host.script(command, `${wanted}\necho '[]'; exit 1`);
  t.equal(await readKstat(host, 'a', 12), undefined, 'nobody has it');
  await host.script(command, printing(`[{"instance": 12, "data": {"zonename": "a"}}]\n`));
  await t.rejects(readKstat(host, 'a', 12), { name: 'ParseError', zonename: 'a' });
});
