/** The cache on a host of shell scripts: what sources say during the first load, and how trouble with listings ends. */
import { readFile, rename, rm } from 'node:fs/promises';
import { pino } from 'pino';
import { Subject, filter, firstValueFrom, of, type Subscription } from 'rxjs';
import tap, { type Test } from 'tap';
import { createCache, type VmCache } from '../../lib/cache/cache.js';
import type { Commit } from '../../lib/cache/vm-store.js';
import { datasetFields } from '../../lib/host/zfs-parse.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { aZoneXml } from '../vm/factories.js';
import { eventually } from '../daemon/harness.js';
import { printing, temporaryHost, type TemporaryHost } from '../host/temporary-host.js';

const zone = '5f0c8a1e-8a4f-4b5e-9d0a-111122223333';
const other = '5f0c8a1e-8a4f-4b5e-9d0a-444455556666';

/** Lines of `zfs list`. */
function listing(...datasets: Readonly<Record<string, string>>[]): string {
  const defaults = { type: 'filesystem', creation: '1600000000', compression: 'off', quota: '0' };
  return datasets
    .map((each) => ({
      ...defaults,
      ...(each['name'] !== undefined && { mountpoint: `/${each['name']}` }),
      ...each,
    }))
    .map(
      (each: Readonly<Record<string, string>>) =>
        datasetFields.map((field) => each[field] ?? '-').join('\t') + '\n',
    )
    .join('');
}

interface Fixture {
  readonly host: TemporaryHost;
  readonly cache: VmCache;
  readonly invalidations: Subject<Invalidation>;
  readonly commits: readonly Commit[];
  readonly vm: (zonename?: string) => VmObject | undefined;
  /** What `zfs list` of everything prints; and of datasets by name, in which `$name` may decide. */
  readonly datasets: (everything: string, named?: string) => Promise<void>;
  readonly zones: (...zonenames: string[]) => Promise<void>;
  /** Starts the cache, with live sources. */
  readonly start: () => Subscription;
  readonly loaded: () => Promise<unknown>;
  readonly commit: (fits: (commit: Commit) => boolean) => Promise<Commit>;
  /** How often zfs was started. */
  readonly zfsRuns: () => Promise<number>;
}

/** A host with one zone, whose root has a quota of 1 GiB. */
async function aFixture(t: Test): Promise<Fixture> {
  const host = await temporaryHost(t);
  await host.write(`/zones/${zone}/root/etc/hosts`, '');
  const cache = createCache({ host, log: pino({ level: 'silent' }) });
  const invalidations = new Subject<Invalidation>();
  const commits: Commit[] = [];
  const news = new Subject<Commit>();
  /** A shell reads its script while it runs it, so one that is running must not be written over. */
  const command = async (path: string, body: string) => {
    await host.script(`${path}.new`, body);
    await rename(host.path(`${path}.new`), host.path(path));
  };
  const zones = async (...zonenames: string[]) => {
    const lines = zonenames.map((name) => `-:${name}:installed:/zones/${name}:${name}:joyent:excl:1\n`);
    await command(
      '/usr/sbin/zoneadm',
      `if [ "$1" = list ]; then ${printing(`0:global:running:/::liveimg:shared:0\n${lines.join('')}`)}\n` +
        `else case "$2" in\n${lines.map((line) => `${line.split(':')[1] ?? ''}) ${printing(line)}\n;;`).join('\n')}\n` +
        '*) echo "zoneadm: $2: No such zone configured" >&2; exit 1;; esac; fi',
    );
    for (const name of zonenames) {
      const attributes = { name, zonepath: `/zones/${name}` };
      await host.write(`/etc/zones/${name}.xml`, aZoneXml({ attributes }));
    }
  };
  const datasets = (everything: string, named = everything) =>
    command(
      '/usr/sbin/zfs',
      `echo >> ${host.root}/zfs-runs\nwhile [ -e ${host.root}/hang ]; do sleep 0.01; done\n` +
        'for name; do :; done\n' +
        `if [ "$name" = 2 ]; then ${printing(everything)}\nelse ${named.startsWith('sh:') ? named.slice(3) : printing(named)}\nfi`,
    );
  await host.script('/usr/bin/kstat', 'echo "[]"; exit 1');
  await host.write('/tmp/.sysinfo.json', '{}');
  await zones(zone);
  await datasets(listing({ name: 'zones' }, { name: `zones/${zone}`, quota: '1073741824' }));
  return {
    host,
    cache,
    invalidations,
    commits,
    zones,
    datasets,
    vm: (zonename = zone) => cache.snapshot.value.vms.get(zonename)?.vm,
    start: () => {
      const subscription = cache.keep(invalidations, of(true)).subscribe({
        next: (commit) => {
          commits.push(commit);
          news.next(commit);
        },
        error: (error: unknown) => t.threw(error),
      });
      t.teardown(() => {
        subscription.unsubscribe();
      });
      return subscription;
    },
    loaded: () => firstValueFrom(cache.snapshot.pipe(filter(({ loaded }) => loaded))),
    commit: async (fits) => commits.find(fits) ?? (await firstValueFrom(news.pipe(filter(fits)))),
    zfsRuns: () =>
      readFile(`${host.root}/zfs-runs`, 'utf8').then(
        (runs) => runs.length,
        () => 0,
      ),
  };
}

void tap.test('what sources say during the first load is processed right after it', async (t) => {
  const { host, cache, invalidations, datasets, zones, vm, start, loaded, commit, commits, zfsRuns } =
    await aFixture(t);
  await host.write('/hang', '');
  await host.write('/zones/' + zone + '/config/tags.json', '{"role":"old"}');
  start();
  // Both listings are under way once zfs runs; the script has read what it will print when the file goes.
  await eventually(async () => (await zfsRuns()) > 0, 'zfs runs');

  await host.write('/zones/' + zone + '/config/tags.json', '{"role":"new"}');
  invalidations.next({ type: 'zone', source: 'zone-events', zonename: zone, inputs: ['tags'] });
  await zones(zone, other);
  invalidations.next({
    type: 'zone',
    source: 'zone-events',
    zonename: other,
    inputs: ['record'],
    newstate: 'installed',
  });
  invalidations.next({ type: 'dataset', name: `zones/${zone}` });
  await eventually(() => cache.status().awaiting.join() === 'zfs list', 'only zfs is awaited');
  t.same(cache.snapshot.value.vms.size, 0, 'nothing is there yet');
  await datasets(
    listing({ name: 'zones' }, { name: `zones/${zone}`, quota: '2147483648' }, { name: `zones/${other}` }),
  );
  await rm(`${host.root}/hang`);
  await loaded();

  await commit(({ event }) => event.type === 'create' && event.zonename === other);
  await cache.sync(zone, 10_000);
  t.match(vm(), { tags: { role: 'new' }, quota: 2 });
  t.match(vm(other), { zfs_filesystem: `zones/${other}` }, 'complete');
  t.same(
    commits.filter(({ event }) => event.zonename === other).map(({ event }) => event.type),
    ['create'],
  );
});

void tap.test(
  'a file that was read when it changed is not read again, but during the first load it is',
  async (t) => {
    const { host, invalidations, vm, start, loaded, commit, zfsRuns } = await aFixture(t);
    const tags = (role: string, readings = true) => {
      const reading = { type: 'read', value: { value: { role }, mtimeMs: 1 }, version: role } as const;
      const invalidation = { type: 'zone', source: 'file-events', zonename: zone, inputs: ['tags'] } as const;
      invalidations.next({ ...invalidation, readings: readings ? { tags: reading } : undefined });
    };
    await host.write('/hang', '');
    await host.write(`/zones/${zone}/config/tags.json`, '{"role":"on the host"}');
    start();
    await eventually(async () => (await zfsRuns()) > 0, 'zfs runs');
    tags('of long ago');
    await rm(`${host.root}/hang`);
    await loaded();
    tags('as it came');
    await commit(({ stored }) => stored?.vm.tags['role'] === 'as it came');
    t.match(vm(), { tags: { role: 'as it came' } });
    tags('', false);
    await commit(({ stored }) => stored?.vm.tags['role'] === 'on the host');
  },
);

void tap.test('a destroy during the first load is not undone by it', async (t) => {
  const { host, invalidations, datasets, vm, start, loaded, zfsRuns, commit } = await aFixture(t);
  await host.write('/hang', '');
  start();
  await eventually(async () => (await zfsRuns()) > 0, 'zfs runs');
  const gone = `sh:echo "cannot open 'zones/${zone}': dataset does not exist" >&2; exit 1`;
  await datasets(listing({ name: 'zones' }), gone);
  invalidations.next({ type: 'dataset', name: `zones/${zone}` });
  await rm(`${host.root}/hang`);
  await loaded();
  await commit(
    ({ event }) => event.type === 'modify' && event.changes.some(({ prettyPath }) => prettyPath === 'quota'),
  );
  t.equal(vm()?.zfs_filesystem, undefined);
});

void tap.test('before the sources are live nothing is loaded', async (t) => {
  const { cache, invalidations } = await aFixture(t);
  const live = new Subject<void>();
  const subscription = cache.keep(invalidations, live).subscribe();
  t.teardown(() => {
    subscription.unsubscribe();
  });
  t.same(cache.status().awaiting, ['sources']);
  live.next();
  await firstValueFrom(cache.snapshot.pipe(filter(({ loaded }) => loaded)));
  t.same(cache.status().awaiting, []);
});

void tap.test('the first load is repeated until zfs answers', async (t) => {
  const { host, cache, datasets, start, loaded, vm } = await aFixture(t);
  await host.script('/usr/sbin/zfs', 'echo "internal error: out of memory" >&2; exit 1');
  start();
  await eventually(() => cache.status().rescans.failures.length > 0, 'the failure is on record');
  t.match(cache.status().rescans.failures[0]?.error, /out of memory/);
  t.equal(cache.snapshot.value.loaded, false);
  await datasets(listing({ name: 'zones' }, { name: `zones/${zone}` }));
  await loaded();
  t.match(vm(), { zfs_filesystem: `zones/${zone}` });
});

void tap.test(
  'a delegated dataset that cannot be listed holds up neither the first load nor a rescan',
  async (t) => {
    const { cache, datasets, start, loaded, vm, invalidations } = await aFixture(t);
    const root = { name: `zones/${zone}`, quota: '1073741824' };
    const everything = listing({ name: 'zones' }, root, { name: `zones/${zone}/data` });
    await datasets(everything, 'sh:echo "cannot open: I/O error" >&2; exit 1');
    start();
    await loaded();
    t.match(vm(), { quota: 1 });
    await eventually(() => cache.loadErrors(zone).length > 0, 'the error is on record');
    t.match(cache.loadErrors(zone), [{ input: 'datasets', error: /I\/O error/ }]);
    t.equal(cache.status().rescans.records.length, 1, 'the load was not repeated for it');

    await datasets(everything, listing({ ...root, quota: '3221225472' }, { name: `zones/${zone}/data` }));
    invalidations.next({ type: 'dataset', name: `zones/${zone}` });
    await eventually(() => cache.loadErrors(zone).length === 0, 'it is mended');
    t.match(vm(), { quota: 3 });
  },
);

void tap.test('one dataset of a VM fails: the error stays until that one is listed', async (t) => {
  const { cache, datasets, start, loaded, invalidations, vm } = await aFixture(t);
  const root = { name: `zones/${zone}`, quota: '1073741824' };
  const data = `zones/${zone}/data`;
  const everything = listing({ name: 'zones' }, root);
  await datasets(everything, listing(root));
  start();
  await loaded();
  // Whoever asks for the snapshot of the delegated dataset fails; the root alone is listed well.
  const named = `sh:case "$*" in *@indestructible*) echo "I/O error" >&2; exit 1;; *) ${printing(listing({ ...root, quota: '2147483648' }))}\n;; esac`;
  await datasets(everything, named);
  invalidations.next({ type: 'dataset', name: data });
  await eventually(() => cache.loadErrors(zone).length > 0, 'the error is on record');
  const { since } = cache.loadErrors(zone)[0] ?? {};
  invalidations.next({ type: 'dataset', name: `zones/${zone}` });
  await eventually(() => vm()?.quota === 2, 'the quota is 2 GiB');
  t.match(cache.loadErrors(zone), [{ input: 'datasets', since }], 'the root alone does not mend it');
  await datasets(everything, listing({ ...root, quota: '2147483648' }));
  await eventually(() => cache.loadErrors(zone).length === 0, 'it is mended');
  t.pass('it was tried again');
});
