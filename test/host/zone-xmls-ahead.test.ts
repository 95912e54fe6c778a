/** XMLs that are parsed before anybody asks for them. */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import tap, { type Test } from 'tap';
import { fileThreads } from '../../lib/config.js';
import { readFileNow } from '../../lib/host/file-reader.js';
import { ZoneXmlsAhead } from '../../lib/host/zone-xmls-ahead.js';

const xmlOf = (zonename: string, alias = 'a') =>
  `<zone name="${zonename}" zonepath="/zones/${zonename}" brand="joyent"><attr name="alias" type="string" value="${alias}"/></zone>`;

function parsing(t: Test, files: Readonly<Record<string, string>>) {
  const directory = t.testdir(files);
  let [begun, isBusy] = [0, false];
  const ahead = new ZoneXmlsAhead({
    onBegin: () => {
      if (isBusy) throw new Error('the call before is said to be over first');
      begun++;
      isBusy = true;
    },
    onEnd: () => {
      isBusy = false;
    },
  });
  t.teardown(() => {
    ahead.end();
  });
  ahead.begin(directory);
  /** Resolves when it has touched so many files: the directory is one. */
  const hasTouched = async (count: number) => {
    while (begun < count) await setImmediate();
  };
  const path = (zonename: string) => join(directory, `${zonename}.xml`);
  return { ahead, path, hasTouched, touched: () => begun };
}

void tap.test('what is in an XML that was parsed ahead is what parsing it then gives, once', async (t) => {
  const { ahead, path, hasTouched } = parsing(t, { 'a.xml': xmlOf('a'), 'b.xml': xmlOf('b'), index: 'a:b' });
  await hasTouched(3);
  const parsed = readFileNow({ path: path('a'), isZoneXml: true });
  t.match(parsed, { type: 'read' });
  const json = ahead.take(path('a'), xmlOf('a'));
  t.equal(json, parsed.type === 'read' ? parsed.text : '');
  t.equal(ahead.take(path('a'), xmlOf('a')), undefined, 'it is forgotten then');
});

void tap.test('an XML that has changed since, or is none, is left to whoever reads it', async (t) => {
  const { ahead, path, hasTouched } = parsing(t, { 'a.xml': xmlOf('a'), 'bad.xml': '<zone' });
  await hasTouched(3);
  t.equal(ahead.take(path('a'), xmlOf('a', 'renamed')), undefined);
  t.equal(ahead.take(path('bad'), '<zone'), undefined);
  t.equal(ahead.take(path('none'), xmlOf('none')), undefined);
});

void tap.test('nothing is parsed ahead once an XML was asked for, nor kept after the end', async (t) => {
  const names = Array.from({ length: 20 }, (_, index) => `z${index}`);
  const { ahead, path, hasTouched, touched } = parsing(
    t,
    Object.fromEntries(names.map((name) => [`${name}.xml`, xmlOf(name)])),
  );
  await hasTouched(5);
  ahead.take(path('none'), '');
  const before = touched();
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  t.equal(touched(), before);
  ahead.end();
  t.same(
    names.filter((name) => ahead.take(path(name), xmlOf(name)) !== undefined),
    [],
  );
});

void tap.test('what waits to be asked for has a bound', async (t) => {
  const large = 'x'.repeat(fileThreads.parseAheadMaxChars / 4);
  const names = ['a', 'b', 'c', 'd'];
  const { ahead, path, touched } = parsing(
    t,
    Object.fromEntries(names.map((name) => [`${name}.xml`, xmlOf(name, large)])),
  );
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  t.equal(touched(), 1 + 2, 'the directory, and two XMLs with what was made of them');
  t.equal(names.filter((name) => ahead.take(path(name), xmlOf(name, large)) !== undefined).length, 2);
});

void tap.test('a directory that is missing has no XMLs', async (t) => {
  const { ahead, path, hasTouched } = parsing(t, {});
  ahead.begin(join(path('a'), 'missing'));
  await hasTouched(2);
  await setImmediate();
  t.equal(ahead.take(path('a'), ''), undefined);
});
