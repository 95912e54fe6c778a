/** The stream, read by a library that knows nothing of us: it is the bucket `vminfo`. */
import { Kvm, type KvWatchEntry } from '@nats-io/kv';
import tap from 'tap';
import { needsNats } from './nats-server.js';
import { expectedVms, inStep, startHost, startPublisher, startTestNats } from './harness.js';

void tap.test(
  'any key-value client reads the bucket vminfo',
  { ...needsNats, timeout: 60_000 },
  async (t) => {
    const { server, nats } = await startTestNats(t);
    const published = await startHost(t);
    const { daemon, host } = published;
    await startPublisher(t, { server, daemon, host });
    await inStep(nats, [published]);
    const zonenames = [...(await expectedVms([published])).values()].map(({ zonename }) => zonename);
    const [first, second] = zonenames;
    const vm = (await daemon.vms()).find(({ zonename }) => zonename === first);
    const keyOf = (zonename = '') => `${host.datacenter}.${host.server}.${zonename}`;

    const bucket = await new Kvm(nats.jetstream).open('vminfo');
    const entry = await bucket.get(keyOf(vm?.zonename));
    t.equal(entry?.operation, 'PUT');
    t.match(entry?.json(), { type: 'create', vm: { zonename: vm?.zonename, alias: vm?.alias } });

    const keys = [];
    for await (const key of await bucket.keys(`${host.datacenter}.>`)) keys.push(key);
    t.strictSame(keys.sort(), zonenames.map(keyOf).sort());

    const watch = await bucket.watch({ key: `${host.datacenter}.${host.server}.*` });
    const entries = watch[Symbol.asyncIterator]();
    const until = async (wanted: (entry: KvWatchEntry) => boolean): Promise<KvWatchEntry> => {
      const next = (await entries.next()) as IteratorResult<KvWatchEntry, unknown>;
      if (next.done === true) throw new Error('the watch ended');
      return wanted(next.value) ? next.value : until(wanted);
    };
    await daemon.host.updateConfig(vm?.zonename ?? '', { attrs: { alias: 'renamed' } });
    const changed = await until(({ key, isUpdate }) => isUpdate && key === keyOf(vm?.zonename));
    t.match(changed.json(), { type: 'modify', vm: { alias: 'renamed' }, changes: [{ path: ['alias'] }] });

    await daemon.host.destroyZone(second ?? '');
    const deleted = await until(({ key, operation }) => key === keyOf(second) && operation !== 'PUT');
    t.equal(deleted.operation, 'DEL');
    t.equal((await bucket.get(keyOf(second)))?.operation, 'DEL');
    watch.stop();

    const hosts = await new Kvm(nats.jetstream).open('vminfo_hosts');
    t.match((await hosts.get(`${host.datacenter}.${host.server}`))?.json(), { vms: { total: 2 } });
  },
);
