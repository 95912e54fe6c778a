/** What a file thread does when it takes over from another, and what it tells with a change. */
import { appendFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Subject, filter, firstValueFrom } from 'rxjs';
import tap from 'tap';
import type { FileNews } from '../../lib/host/file-messages.js';
import { FileServer } from '../../lib/host/file-server.js';
import { fileThreads } from '../../lib/config.js';
import { lookAt, timeGrainMs } from '../../lib/host/file-version.js';

void tap.test(
  'files that were watched before are told of if they have changed since, or may have',
  async (t) => {
    const top = t.testdir({ tags: '{}' });
    const [tags, routes] = [join(top, 'tags'), join(top, 'routes')];
    // Until then it may change again and look the same, so it would always be told of.
    while (Date.now() - lookAt(tags).changedMs <= timeGrainMs) await setTimeout(timeGrainMs);
    const current = lookAt(tags).version;
    for (const [since, changed] of [
      [{ tags: current, routes: '' }, []],
      [{ tags: '' }, ['tags']],
      [{ tags: 'another' }, ['tags']],
      [{ routes: 'was there' }, ['routes']],
      [{ tags: null, routes: null }, ['tags', 'routes']],
      [{}, []],
    ] as const) {
      const news: FileNews[] = [];
      const server = new FileServer({
        watch: (path, listener) => watch(path, { persistent: false }, listener),
        tell: (each) => news.push(each),
        onBegin: () => undefined,
        onEnd: () => undefined,
        mayReadAhead: () => false,
      });
      const paths = [
        { name: 'tags', path: tags, top },
        { name: 'routes', path: routes, top },
      ];
      server.do({ type: 'watch', zonename: 'z', paths, since });
      server.close();
      const names = news.flatMap((each) => (each.type === 'changed' ? each.names : []));
      t.same(names, changed, JSON.stringify(since));
    }
  },
);

void tap.test('files are compared with the versions that are known of them', (t) => {
  const top = t.testdir({
    etc: { xml: '<zone/>' },
    z: { tags: '{}', other: '{}', link: t.fixture('symlink', 'other') },
    empty: {},
  });
  const version = (path: string) => lookAt(join(top, path)).version;
  const known = { xml: version('etc/xml'), tags: version('z/tags'), routes: '' };
  type Versions = Readonly<Record<string, string>>;
  const rows: readonly [row: string, directory: string, versions: Versions, areUnchanged: boolean][] = [
    ['all are as they were', 'z', known, true],
    ['some of them', 'z', { tags: known.tags }, true],
    ['one has changed', 'z', { ...known, tags: 'another' }, false],
    ['one is of another zone or of all', 'z', { ...known, xml: 'another' }, false],
    ['one that was missing is there', 'z', { ...known, tags: '' }, false],
    ['one that was there is missing', 'z', { ...known, routes: 'was there' }, false],
    ['one is now a link', 'z', { link: version('z/other') }, false],
    ['one is not watched', 'z', { ...known, other: version('z/other') }, false],
    ['all are missing', 'empty', { routes: '', tags: '', receiving: '' }, true],
    ['all are missing, and so is their directory', 'away', { routes: '', tags: '' }, false],
    ['nothing is watched', '', known, false],
  ];
  for (const [row, directory, versions, areUnchanged] of rows) {
    const [news, begun]: [FileNews[], string[]] = [[], []];
    const server = new FileServer({
      watch: (path, listener) => watch(path, { persistent: false }, listener),
      tell: (each) => news.push(each),
      onBegin: (zonename) => begun.push(zonename),
      onEnd: () => undefined,
      mayReadAhead: () => false,
    });
    const within = join(top, directory);
    const own = ['tags', 'routes', 'link'].map((name) => ({
      ...{ name, path: join(within, name), top },
      reading: { within },
    }));
    const ofAll = (name: string) => ({ name, path: join(top, 'etc', name), top, owner: 'global' });
    const paths = [{ ...ofAll('xml'), reading: { isZoneXml: true } }, ...own, ofAll('receiving')];
    if (directory !== '') server.do({ type: 'watch', zonename: 'z', paths });
    begun.length = 0;
    server.do({ type: 'compare', id: 7, zonename: 'z', versions });
    server.close();
    t.same(news.at(-1), { type: 'compared', id: 7, areUnchanged }, row);
    if (row === 'all are as they were') t.same(begun, ['global', 'z', 'z'], 'it says whose each file is');
    if (row === 'all are missing') t.same(begun, ['z', 'z', 'global', 'z'], 'and whose the directory is');
  }
  t.end();
});

const big = 'x'.repeat(fileThreads.readAheadMaxBytes);
const xml = '<zone name="z" zonepath="/z" brand="joyent"/>';

void tap.test(
  'what is in changed files is told with the change, if all are small and can be read',
  async (t) => {
    const rows: readonly [row: string, files: Record<string, string>, isHeard: boolean, told: unknown][] = [
      ['one', { tags: '{}' }, true, ['{}\n']],
      ['two', { tags: '{}', routes: '[]' }, true, ['{}\n', '[]\n']],
      ['a zone XML, parsed', { xml }, true, [/"zonename":"z"/]],
      ['one is no XML', { tags: '{}', xml: '<zone' }, true, undefined],
      ['one is big', { tags: '{}', routes: big }, true, undefined],
      ['the last is still unheard', { tags: '{}' }, false, undefined],
      ['one is only to be told of', { tags: '{}', sysinfo: '{}' }, true, undefined],
    ];
    for (const [row, files, isHeard, told] of rows) {
      const top = t.testdir(files);
      const all = new Subject<FileNews>();
      const begun: string[] = [];
      const server = new FileServer({
        watch: (path, listener) => watch(path, { persistent: false }, listener),
        tell: (each) => {
          all.next(each);
        },
        onBegin: (zonename) => begun.push(zonename),
        onEnd: () => undefined,
        mayReadAhead: () => isHeard,
      });
      t.teardown(() => {
        server.close();
      });
      const names = Object.keys(files);
      const paths = names.map((name) => ({
        ...{ name, path: join(top, name), top, owner: `owner of ${name}` },
        ...(name !== 'sysinfo' && { reading: { within: top, isZoneXml: name === 'xml' } }),
      }));
      server.do({ type: 'watch', zonename: 'z', paths });
      const changed = firstValueFrom(all.pipe(filter((news) => news.type === 'changed')));
      begun.length = 0;
      for (const { path } of paths) appendFileSync(path, '\n');
      const news = await changed;
      t.match(news, { zonename: 'z', names }, row);
      if (told === undefined) t.equal(news.texts, undefined, row);
      else {
        t.match(
          news.texts?.map(({ text }) => text),
          told,
          row,
        );
        t.match(
          news.texts?.map(({ path }) => path),
          paths.map(({ path }) => path),
        );
        t.equal(begun.at(-1), paths.at(-1)?.owner, 'it says whose file it reads before it does');
      }
      server.close();
    }
  },
);
