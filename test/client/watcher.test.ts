import tap, { type Test } from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import { maxUnreadEvents } from '../../lib/config.js';
import { aVm, uuids } from './a-vm.js';
import { FakeDaemon } from './fake-daemon.js';

async function start(t: Test) {
  const daemon = await FakeDaemon.start(t, { vms: [aVm()] });
  const client = new VminfodClient({ url: daemon.url, name: 'tester' });
  t.teardown(() => client.close());
  const watcher = await client.watch();
  return { daemon, client, watcher };
}

void tap.test('is a map of the VMs as they are, over restarts too', async (t) => {
  const { daemon, watcher } = await start(t);
  const { vms } = watcher;
  t.strictSame([...vms], [[uuids.web, aVm()]]);
  const changes = watcher.changes()[Symbol.asyncIterator]();
  daemon.set(aVm({ zonename: uuids.db }));
  t.match(await changes.next(), { value: { type: 'create', zonename: uuids.db } });
  t.strictSame([...vms.keys()], [uuids.web, uuids.db], 'the map has it when the event comes');
  await daemon.down();
  daemon.delete(uuids.db);
  daemon.change(uuids.web, { quota: 20 });
  await daemon.up();
  await changes.next();
  await changes.next();
  t.strictSame([...vms], [[uuids.web, aVm({ quota: 20 })]]);
  await watcher.close();
  t.match(await changes.next(), { done: true });
  t.equal(vms.size, 1, 'it stays as it was');
  await daemon.quiet();
});

void tap.test('each iteration of changes is a stream of its own', async (t) => {
  const { daemon, watcher } = await start(t);
  const one = watcher.changes()[Symbol.asyncIterator]();
  const two = watcher.changes()[Symbol.asyncIterator]();
  daemon.change(uuids.web, { quota: 20 });
  t.match(await one.next(), { value: { vm: { quota: 20 } } });
  await one.return?.();
  daemon.change(uuids.web, { quota: 30 });
  t.match(await two.next(), { value: { vm: { quota: 20 } } });
  t.match(await two.next(), { value: { vm: { quota: 30 } } });
  await watcher.close();
});

void tap.test('a reader that does not read is cut off, the map goes on', async (t) => {
  const { daemon, watcher } = await start(t);
  const lazy = watcher.changes()[Symbol.asyncIterator]();
  const keen = watcher.changes()[Symbol.asyncIterator]();
  for (let quota = 1; quota <= maxUnreadEvents + 1; quota++) {
    daemon.change(uuids.web, { quota: 1000 + quota });
    await keen.next();
  }
  await t.rejects(lazy.next(), { code: 'Overflow' });
  t.equal(watcher.vms.get(uuids.web)?.quota, 1000 + maxUnreadEvents + 1);
  await watcher.close();
});

void tap.test('a map that is no longer kept true cannot be read', async (t) => {
  const { daemon, watcher } = await start(t);
  const reader = watcher.changes()[Symbol.asyncIterator]();
  const unread = watcher.changes();
  daemon.raw('garbage\n');
  await t.rejects(reader.next(), { code: 'BadAnswer' });
  t.throws(() => watcher.vms, { code: 'BadAnswer' });
  await t.rejects(watcher.changes()[Symbol.asyncIterator]().next(), { code: 'BadAnswer' });
  await t.rejects(unread[Symbol.asyncIterator]().next(), { code: 'BadAnswer' });
  await daemon.quiet();
});

void tap.test('ends with the client, and with its own signal', async (t) => {
  const { daemon, client, watcher } = await start(t);
  const abort = new AbortController();
  const other = await client.watch({ signal: abort.signal });
  const changes = other.changes()[Symbol.asyncIterator]().next();
  abort.abort();
  await t.rejects(changes, { name: 'AbortError' });
  t.throws(() => other.vms, { name: 'AbortError' });
  t.equal(watcher.vms.size, 1);
  await client.close();
  await watcher.close();
  await daemon.quiet();
});
