/**
 * What zfs does to what it lists: inheritance, names, snapshots, and the files of a VM.
 */
import { existsSync, readFileSync } from 'node:fs';
import tap from 'tap';
import { createSimulatedHost, ZfsError } from '../../lib/simulator/index.js';
import { list } from './run.js';

void tap.test('properties are inherited', async (t) => {
  const host = await createSimulatedHost({ vms: 0 });
  t.teardown(() => host.remove());
  const shown = async (fields: string): Promise<string[][]> => list(host, fields, '-r', 'zones/a');
  await host.zfs('create', '-p', 'zones/a/b/c');
  await host.zfs('set', 'compression=gzip', 'zones');
  t.same(await shown('compression'), [['gzip'], ['gzip'], ['gzip']]);
  await host.zfs('set', 'compression=off', 'recordsize=8k', 'zoned=on', 'zones/a/b');
  t.same(await shown('compression,recsize,zoned'), [
    ['gzip', '131072', 'off'],
    ['off', '8192', 'on'],
    ['off', '8192', 'on'],
  ]);
  await host.zfs('inherit', 'compression', 'zones/a/b');
  t.same(await shown('compression'), [['gzip'], ['gzip'], ['gzip']]);
  await host.zfs('set', 'mountpoint=/elsewhere', 'zones/a');
  t.same(await shown('mountpoint'), [['/elsewhere'], ['/elsewhere/b'], ['/elsewhere/b/c']]);
  await host.zfs('set', 'mountpoint=none', 'zones/a/b');
  t.same(await shown('mountpoint'), [['/elsewhere'], ['none'], ['none']]);
  await host.zfs('set', 'quota=10g', 'snapshot_limit=5', 'zones/a');
  t.same(await shown('quota,snapshot_limit'), [
    ['10737418240', '5'],
    ['0', '18446744073709551615'],
    ['0', '18446744073709551615'],
  ]);
});

void tap.test('names, holds and space', async (t) => {
  const host = await createSimulatedHost({ vms: 0 });
  t.teardown(() => host.remove());
  await host.zfs('create', '-p', 'zones/a/b');
  await host.zfs('snapshot', '-r', 'zones/a@s');
  await host.zfs('hold', 'keep', 'zones/a@s');
  t.same(await list(host, 'name,userrefs', '-d', '1', 'zones/a'), [
    ['zones/a', '-'],
    ['zones/a@s', '1'],
    ['zones/a/b', '-'],
  ]);
  await t.rejects(
    host.zfs('destroy', 'zones/a@s'),
    new ZfsError(1, 'cannot destroy snapshot zones/a@s: dataset is busy'),
  );
  await host.zfs('rename', 'zones/a', 'zones/z');
  t.same((await list(host, 'name', '-r', 'zones/z')).flat(), [
    'zones/z',
    'zones/z@s',
    'zones/z/b',
    'zones/z/b@s',
  ]);
  t.same(await list(host, 'name', '-r', 'zones/a'), []);

  await host.writeData('zones/z', 1000);
  await host.zfs('snapshot', 'zones/z@t');
  t.same(await list(host, 'written', 'zones/z', 'zones/z@t'), [['0'], ['1000']]);

  await host.zfs('clone', 'zones/z@s', 'zones/clone');
  await host.zfs('promote', 'zones/clone');
  t.same((await list(host, 'name', '-d', '1', 'zones/clone', 'zones/z')).flat(), [
    'zones/clone',
    'zones/clone@s',
    'zones/z',
    'zones/z@t',
    'zones/z/b',
  ]);
  t.equal(host.dataset('zones/z')?.origin, 'zones/clone@s');
});

void tap.test('a rollback brings the files of a VM back', async (t) => {
  const host = await createSimulatedHost({ vms: 0 });
  t.teardown(() => host.remove());
  const zonename = await host.createZone({ boot: false });
  const root = `zones/${zonename}`;
  const tags = host.configFile(zonename, 'tags');
  const before = readFileSync(tags, 'utf8');
  await host.zfs('snapshot', `${root}@s`);
  await host.setTags(zonename, { after: true });
  await host.writeLastExited(zonename, 0);
  await host.zfs('rollback', `${root}@s`);
  t.equal(readFileSync(tags, 'utf8'), before);
  t.notOk(existsSync(host.lastExitedFile(zonename)), 'what came later is gone');

  await host.zfs('clone', `${root}@s`, 'zones/copy');
  t.equal(readFileSync(host.path('/zones/copy/config/tags.json'), 'utf8'), before);
  await host.setTags(zonename, { later: true });
  await host.zfs('snapshot', `${root}@t`);
  await host.receive({ from: `${root}@s`, to: 'zones/received' });
  t.equal(readFileSync(host.path('/zones/received/config/tags.json'), 'utf8'), before);
  await host.receive({ from: `${root}@t`, to: 'zones/received', incremental: 's' });
  t.match(readFileSync(host.path('/zones/received/config/tags.json'), 'utf8'), '"later": true');
});

void tap.test('a rollback to a snapshot of the scenario brings back what the VM began with', async (t) => {
  const host = await createSimulatedHost({ vms: 12 });
  t.teardown(() => host.remove());
  const zonename =
    host.zonenames().find((name) => (host.dataset(`zones/${name}`)?.snapshots.length ?? 0) > 0) ?? '';
  const tags = host.configFile(zonename, 'tags');
  const before = readFileSync(tags, 'utf8');
  await host.setTags(zonename, { after: true });
  const [first] = host.dataset(`zones/${zonename}`)?.snapshots ?? [];
  await host.zfs('rollback', '-r', `zones/${zonename}@${first?.name ?? ''}`).catch(async () => {
    // The newest of them may be held.
    const newest = host.dataset(`zones/${zonename}`)?.snapshots.at(-1);
    await host.zfs('rollback', `zones/${zonename}@${newest?.name ?? ''}`);
  });
  t.equal(readFileSync(tags, 'utf8'), before);
});
