/**
 * A simulated host as a whole: what it begins with, several processes at one tree, and its life.
 */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import tap from 'tap';
import { createSimulatedHost, lifelike, openSimulatedHost } from '../../lib/simulator/index.js';
import { list, run } from './run.js';

void tap.test('the same seed gives the same host, another seed another', async (t) => {
  const hosts = await Promise.all([7, 7, 8].map((seed) => createSimulatedHost({ vms: 20, seed })));
  t.teardown(() => Promise.all(hosts.map((host) => host.remove())));
  const [first, same, other] = await Promise.all(
    hosts.map(async (host) => ({
      zoneadm: (await run(host, 'zoneadm', 'list', '-p', '-c')).stdout,
      zfs: await list(host, 'name,creation,quota,written'),
      xml: host.zonenames().map((name) => readFileSync(host.xmlFile(name), 'utf8')),
    })),
  );
  t.same(first, same);
  t.notSame(first?.zoneadm, other?.zoneadm);
});

void tap.test('a host has VMs of every brand, and what they need', async (t) => {
  const host = await createSimulatedHost({ vms: 40, oddName: true });
  t.teardown(() => host.remove());
  const zones = host.zonenames().map((name) => host.zone(name));
  const brands = new Set(zones.map(({ config }) => config.brand));
  t.same([...brands].sort(), ['bhyve', 'builder', 'joyent', 'joyent-minimal', 'kvm', 'lx']);
  t.same(new Set(zones.map(({ config }) => config.networks.length)), new Set([1, 2, 3, 4]));
  t.ok(zones.some(({ state }) => state === 'installed'));
  t.equal(zones.filter(({ zonename, uuid }) => zonename !== uuid).length, 1);
  const listed = await list(host, 'name,type,userrefs', '-r');
  const has = (pattern: RegExp): boolean => listed.some(([name = '']) => pattern.test(name));
  t.ok(has(/^zones\/[^/@]+@final$/), 'images');
  t.ok(has(/@vmsnap-/), 'snapshots of VMs');
  t.ok(has(/^zones\/[^/]+\/data\/pg$/), 'delegated datasets with children');
  t.ok(has(/^zones\/[^/]+-disk1$/), 'disks in the old layout');
  t.ok(listed.some(([name = '', , refs]) => name.endsWith('/data@indestructible') && refs === '1'));
  for (const name of ['zones/cores', 'zones/var', 'zones/swap'])
    t.ok(
      listed.some(([each]) => each === name),
      name,
    );
});

void tap.test('two processes can work on one tree', async (t) => {
  const host = await createSimulatedHost({ vms: 1 });
  t.teardown(() => host.remove());
  const dataset = `zones/${host.zonenames()[0] ?? ''}`;
  const script = `
    const { openSimulatedHost } = await import(process.argv[1]);
    const host = await openSimulatedHost(process.argv[2]);
    for (let i = 0; i < 40; i++) await host.zfs('snapshot', process.argv[3] + '@theirs' + i);`;
  const index = new URL('../../lib/simulator/index.js', import.meta.url).href;
  const before = host.dataset(dataset)?.snapshots.length ?? 0;
  const child = execa(process.execPath, ['--input-type=module', '-e', script, index, host.root, dataset]);
  for (let i = 0; i < 40; i++) await host.zfs('snapshot', `${dataset}@ours${i}`);
  await child;
  t.equal(host.dataset(dataset)?.snapshots.length, before + 80);
  const ids = host.dataset(dataset)?.snapshots.map(({ id }) => id) ?? [];
  t.equal(new Set(ids).size, ids.length, 'no number is given twice');
});

void tap.test('a tree is made once, opened, and removed whole', async (t) => {
  const host = await createSimulatedHost({ vms: 1 });
  await t.rejects(createSimulatedHost({ root: host.root }), { message: /there is a simulated host already/ });
  t.same((await openSimulatedHost(host.root)).zonenames(), host.zonenames());
  await host.remove();
  t.notOk(existsSync(host.root));
  await t.rejects(openSimulatedHost(host.root), { message: /no simulated host here/ });
});

void tap.test('life-like activity', async (t) => {
  const hosts = await Promise.all([1, 2].map(() => createSimulatedHost({ vms: 6 })));
  t.teardown(() => Promise.all(hosts.map((host) => host.remove())));
  const some = await Promise.all(
    hosts.map((host) => lastValueFrom(lifelike(host, { seed: 3, intervalMs: 1 }).pipe(take(40), toArray()))),
  );
  const deeds = some.map((activities) =>
    activities.map(({ action, alias, detail }) => [action, alias, detail]),
  );
  t.same(deeds[0], deeds[1], 'the same seed, the same deeds');
  t.same(
    some[0]?.filter(({ failure }) => failure !== undefined),
    [],
  );
  t.ok(new Set(some[0]?.map(({ action }) => action)).size >= 7, 'of many kinds');

  const [host] = hosts;
  if (host === undefined) return;
  const zones = host.zonenames();
  await firstValueFrom(
    lifelike(host, { seed: 4, intervalMs: 1, createAndDestroy: false }).pipe(take(40), toArray()),
  );
  t.same(host.zonenames(), zones, 'without coming and going');
});

void tap.test('removing a host ends its sysevents, also those that nobody reads any more', async (t) => {
  const host = await createSimulatedHost({ vms: 1 });
  const args = ['-rj', '-c', 'com.sun:zones:status'];
  const child = execa(host.path('/usr/sbin/sysevent'), args, { reject: false, buffer: false });
  await once(child.stdout, 'data');
  t.same(host.syseventPids(), [child.pid]);
  await host.remove();
  t.match(await child, { signal: 'SIGTERM' });
});
