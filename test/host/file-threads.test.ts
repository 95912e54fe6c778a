/** Threads that read and watch files, on file systems that hang. */
import { appendFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import tap from 'tap';
import { fileThreads } from '../../lib/config.js';
import { FilesEndedError } from '../../lib/host/files.js';
import { globalZone } from '../../lib/host/paths.js';
import { noBindfs } from '../bindfs.js';
import { eventually } from '../daemon/harness.js';
import { zones } from './hanging-zones.js';
import { temporaryHost } from './temporary-host.js';

void tap.test('reads and watches in order: what is written after a reading is told of', async (t) => {
  const { files, read, told, path, watch } = await zones(t, 2, 0);
  for (let round = 0; round < 50; round++) {
    files.unwatch('z0');
    watch('z0');
    const reading = await read('z0');
    t.equal(reading?.type, 'read');
    await told('z0', () => appendFile(path('z0'), 'x'));
  }
  t.match(await read('z0'), { value: { value: `z0${'x'.repeat(50)}` } });
  t.strictSame(files.status(), { threads: 1, stuck: 0, hung: [], stalled: false });
});

void tap.test('what is in a file comes with its change, unless the file is elsewhere by now', async (t) => {
  const { host, files, events, read, told, path } = await zones(t, 1, 0);
  await host.write('/zones/elsewhere/tags.json', 'elsewhere');
  const watchAt = (place: string) => {
    files.watch('z0', () => [{ name: 'tags', path: place, top: host.path('/zones'), reading: {} }]);
  };
  watchAt(path('z0'));
  await read('z0');
  await told('z0', () => appendFile(path('z0'), ' more'));
  t.match(events.at(-1), { names: ['tags'], readings: [{ type: 'read', value: { value: 'z0 more' } }] });

  await eventually(async () => {
    watchAt(path('z0'));
    await read('z0');
    const from = events.length;
    appendFileSync(path('z0'), '.');
    // While this thread waits here, the other one reads the file.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    watchAt(host.path('/zones/elsewhere/tags.json'));
    await read('z0');
    const late = events.slice(from).filter(({ type }) => type === 'changed');
    for (const event of late) t.match(event, { names: ['tags'], readings: undefined });
    return late.length > 0;
  }, 'the file moves after it was read and before that is heard');
});

void tap.test('files end: what is asked for then fails, and so does what waits', async (t) => {
  const { files, read } = await zones(t, 1, 0);
  const waiting = read('z0');
  const ended = files.end();
  await t.rejects(waiting, { name: 'FilesEndedError' });
  await t.rejects(read('z0'), { name: 'FilesEndedError' });
  await ended;
  t.strictSame(await files.watchStatus(), { watching: [], notWatching: [] });
  t.equal(files.status().threads, 0);
});

void tap.test('a thread that cannot go on is an error for all who wait, and for who listens', async (t) => {
  const host = await temporaryHost(t, { watch: { type: 'module', url: 'file:///no-such-module.js' } });
  const failed = new Promise<Error>((resolve) => {
    host.files.events.subscribe({ error: resolve });
  });
  await t.rejects(host.files.read('z', [{ name: 'x', path: '/x' }]), { name: 'FilesEndedError' });
  t.match(await failed, { name: 'FilesEndedError', cause: { code: 'ERR_MODULE_NOT_FOUND' } });
  await t.rejects(host.files.read('z', [{ name: 'x', path: '/x' }]), { name: 'FilesEndedError' });
});

for (const count of [1, 3]) {
  void tap.test(
    `${count} hung: others are read and told of, and all is right afterwards`,
    { skip: noBindfs, timeout: 120_000 },
    async (t) => {
      const { files, events, directories, read, told, path, hung } = await zones(t, 6, count);
      const hanging = Array.from({ length: count }, (_, index) => `z${index}`);
      for (let zone = 0; zone < 6; zone++) t.match(await read(`z${zone}`), { value: { value: `z${zone}` } });
      await eventually(() => events.some(({ type }) => type === 'trouble'), 'it is live');

      for (const directory of directories) directory.hang();
      const readings = hanging.map(read);
      // Asked for behind those that hang.
      t.match(await read('z5'), { value: { value: 'z5' } });
      await told('z4', () => appendFile(path('z4'), ' more'));
      t.match(await read('z4'), { value: { value: 'z4 more' } });
      t.same(hung(), hanging);
      t.match(files.status(), {
        threads: count + 1,
        stuck: count,
        stalled: false,
        hung: [{ zonename: 'z0', since: /^20.*Z$/ }],
      });
      for (const reading of await Promise.all(readings)) {
        t.match(reading, {
          type: 'failed',
          error: { name: 'FileError', message: /hangs/, path: /tags\.json$/ },
        });
      }
      const before = performance.now();
      t.match(await read('z0'), { type: 'failed' }, 'at once, now that it is known');
      t.ok(performance.now() - before < fileThreads.readTimeoutMs / 2);
      const watches = await files.watchStatus();
      t.ok(watches.watching.includes(path('z5')));
      for (const zone of hanging) t.ok(watches.notWatching.includes(path(zone)));
      t.match(events.filter(({ type }) => type === 'trouble').at(-1), { error: { message: /z0.* hangs/ } });

      for (const [index, directory] of directories.entries()) {
        const zone = `z${index}`;
        await told(
          zone,
          () => {
            directory.goOn();
            return Promise.resolve();
          },
          'stale',
        );
        t.match(await read(zone), { value: { value: zone } });
        await told(zone, () => appendFile(path(zone), ' again'));
        t.match(await read(zone), { value: { value: `${zone} again` } });
      }
      await eventually(() => files.status().threads === 1, 'stuck threads have ended');
      t.same(hung(), []);
      t.match(events.filter(({ type }) => type === 'trouble').at(-1), { error: undefined });
    },
  );
}

void tap.test(
  'a reading that is slow, and no more, is answered',
  { skip: noBindfs, timeout: 120_000 },
  async (t) => {
    const { files, directories, read, hung } = await zones(t, 2, 1);
    await read('z0');
    directories[0]?.hang();
    const reading = read('z0');
    await eventually(() => hung().length === 1, 'others do not wait for it');
    directories[0]?.goOn();
    t.match(await reading, { type: 'read', value: { value: 'z0' } });
    await eventually(() => hung().length === 0, 'the zone is back');
    await eventually(() => files.status().threads === 1, 'its thread has ended');
  },
);

void tap.test(
  'a comparison that a hung file system holds up is given up: its files are to be read',
  { skip: noBindfs, timeout: 120_000 },
  async (t) => {
    const { files, directories, read, hung } = await zones(t, 3, 1);
    const versions: Record<string, { tags: string }> = {};
    for (const zone of ['z0', 'z1']) {
      await eventually(async () => {
        const reading = await read(zone);
        versions[zone] = { tags: (reading?.type === 'read' ? reading.version : undefined) ?? '' };
        return versions[zone].tags !== '';
      }, 'its times tell its versions apart');
    }
    const compare = (zone: string) => files.areUnchanged(zone, versions[zone] ?? {});
    t.same(await Promise.all([compare('z0'), compare('z1')]), [true, true]);
    directories[0]?.hang();
    const before = performance.now();
    t.same(await Promise.all([compare('z0'), compare('z1')]), [false, false], 'nor is what is behind it');
    t.ok(performance.now() - before < fileThreads.readTimeoutMs, 'as soon as it is known to hang');
    t.same(hung(), ['z0']);
    t.same(await Promise.all([compare('z0'), compare('z1')]), [false, true], 'others go on');
    t.equal(files.status().threads, 2, 'no other thread was lost to it');
  },
);

/** A reading of a zone that hangs may still wait for its answer when the test ends. */
function isUnanswered(error: unknown): void {
  if (!(error instanceof FilesEndedError)) throw error;
}

void tap.test(
  'what changes while a thread hangs is told by the next, and nothing else is',
  { skip: noBindfs, timeout: 120_000 },
  async (t) => {
    const { host, files, events, directories, read, path, hung } = await zones(t, 4, 1);
    files.watch(globalZone, () => [
      { name: 'zones', path: host.path('/zones'), top: host.path('/zones'), isDirectory: true },
    ]);
    for (const zone of ['z0', 'z1', 'z2']) {
      await eventually(async () => {
        const reading = await read(zone);
        return reading?.type === 'read' && reading.version !== undefined;
      }, 'its times tell its versions apart');
    }
    directories[0]?.hang();
    read('z0').catch(isUnanswered);
    await host.write('/zones/new.xml', '');
    await appendFile(path('z1'), ' more');
    const from = events.length;
    await eventually(() => hung().length === 1, 'z0 hangs');
    await eventually(
      () => events.some((event) => event.type === 'changed' && event.zonename === 'z1'),
      'z1 is told of',
    );
    await eventually(
      () => events.some((event) => event.type === 'entries' && event.entries.includes('new.xml')),
      'a new entry is told of',
    );
    await read('z3'); // after all that the thread that took over looked at first
    t.notOk(events.slice(from).some((event) => event.type === 'changed' && event.zonename === 'z2'));
  },
);

void tap.test('watches change while their zone hangs', { skip: noBindfs, timeout: 120_000 }, async (t) => {
  const { files, directories, read, path, told, hung, watch, events } = await zones(t, 3, 2);
  await read('z0');
  for (const directory of directories) directory.hang();
  read('z0').catch(isUnanswered);
  await eventually(() => hung().includes('z0'), 'z0 hangs');
  files.unwatch('z0');
  watch('z1');
  await eventually(() => hung().includes('z1'), 'watching hangs too');
  files.rearm('z1');
  files.mend();
  for (const directory of directories) directory.goOn();
  await eventually(() => hung().length === 0, 'both are back');
  const { watching, notWatching } = await files.watchStatus();
  t.ok(watching.includes(path('z1')));
  t.notOk([...watching, ...notWatching].includes(path('z0')));
  t.notOk(events.some((event) => event.type === 'stale' && event.zonename === 'z0'));
  await told('z1', () => appendFile(path('z1'), ' more'));
});

void tap.test(
  'the end does not wait for a stuck thread, and says that it is there',
  { skip: noBindfs, timeout: 120_000 },
  async (t) => {
    const { files, directories, read, hung } = await zones(t, 2, 1);
    await read('z0');
    directories[0]?.hang();
    const reading = read('z0');
    const rejected = t.rejects(reading, { name: 'FilesEndedError' });
    await eventually(() => hung().length === 1, 'it is stuck');
    await files.end();
    t.match(files.status(), { threads: 1, stuck: 1 });
    await rejected;
  },
);
