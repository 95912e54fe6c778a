/** FleetClient over a real nats-server, with hosts and their publishers. */
import tap from 'tap';
import { FleetClient } from '../../lib/fleet/client.js';
import { diagnoseFleet } from '../../lib/fleet/diagnose.js';
import { hashOf } from '../../lib/fleet/message.js';
import { initFleet } from '../../lib/fleet/streams.js';
import { writeVm } from '../../lib/fleet/write-vm.js';
import type { VmEvent } from '../../lib/vm/event.js';
import { aVm } from '../client/a-vm.js';
import { run } from '../cli/run.js';
import { eventually } from '../daemon/harness.js';
import {
  bucketVms,
  connect,
  inStep,
  otherServer,
  startHost,
  startPublisher,
  startTestNats,
} from './harness.js';
import { needsNats } from './nats-server.js';

tap.setTimeout(240_000);

void tap.test(
  'one place for the VMs of two hosts, a migration, and a host that goes away',
  needsNats,
  async (t) => {
    const { server, nats } = await startTestNats(t);
    const first = await startHost(t);
    // Simulated hosts have the same VMs: each is there twice, as during a migration.
    const second = await startHost(t);
    const other = { ...second, host: otherServer(second.host, 2) };
    await startPublisher(t, { server, ...first });
    const away = await startPublisher(t, { server, ...other });
    await inStep(nats, [first, other]);

    const fleet = await FleetClient.connect({ servers: [server.url], name: 'test' });
    t.teardown(() => fleet.close());
    const vms = await fleet.vms();
    t.equal(vms.length, 2 * (await fleet.vms({ host: first.host.server })).length, 'narrowed to a host');
    t.equal((await fleet.hosts()).length, 2);
    const [vm] = vms.filter(({ state }) => state === 'running');
    const zonename = vm?.zonename ?? '';
    t.match(vm, { datacenter: 'emy-17', host: String });
    t.notOk(vms.some((each) => 'customer_metadata' in each));

    const event = await fleet.waitForChanges(
      { zonename },
      { path: ['alias'], newValue: 'seen' },
      { change: () => first.daemon.host.updateConfig(zonename, { attrs: { alias: 'seen' } }) },
    );
    t.match(event, { type: 'modify', server_uuid: first.host.server, vm: { alias: 'seen' } });
    t.equal((await fleet.vms({ alias: 'seen' })).length, 1);

    const alarms = async () =>
      diagnoseFleet(await fleet.hosts(), await fleet.vms(), await fleet.fill()).filter(({ what }) =>
        what.startsWith(`VM ${zonename} runs on 2 hosts`),
      );
    t.equal((await alarms()).length, 1, 'running twice is an alarm');
    await first.daemon.host.stop(zonename);
    await eventually(async () => (await alarms()).length === 0, 'it is stopped here: a migration');
    const got = await run('', ['-F', server.url, 'get', 'seen']);
    t.match(JSON.parse(got.stdout), { zonename, state: 'running', server_uuid: other.host.server });
    t.equal(
      got.stderr,
      `vminfo: ${zonename} is on 2 hosts: this is the one on ${other.host.server} (running); also on ${first.host.server} (stopped)\n`,
    );

    const watcher = await fleet.watch();
    const changes = watcher.changes()[Symbol.asyncIterator]();
    const untilAllOf = async (count: number, isRight: (event: VmEvent) => boolean) => {
      const names = new Set<string>();
      while (names.size < count) {
        const next = (await changes.next()) as { value: VmEvent };
        if (isRight(next.value)) names.add(next.value.zonename);
      }
    };
    const staleOnes = async () => (await fleet.vms()).filter((each) => 'stale' in each).length;
    await away.stop();
    const isStale = ({ vm: seen }: VmEvent) => seen !== undefined && 'stale' in seen;
    await untilAllOf(vms.length / 2, isStale);
    t.equal(await staleOnes(), vms.length / 2, 'of a host that is away they are shown, as stale');
    t.equal((await fleet.vm(zonename)).server_uuid, other.host.server, 'running goes before fresh');
    t.match(
      (await run('', ['-F', server.url, 'list'])).stderr,
      /of these VMs may have changed: their host has/,
    );
    await startPublisher(t, { server, ...other });
    await untilAllOf(vms.length / 2, (each) => !isStale(each) && each.server_uuid === other.host.server);
    t.equal(await staleOnes(), 0, 'it is back');
    await watcher.close();

    await t.rejects(fleet.vm('nothing'), { name: 'NotFoundError' });
    await t.rejects(fleet.vm(zonename, { sync: true }), { name: 'BadRequestError' });
  },
);

void tap.test(
  'a stream goes on over restarts and the loss of the store',
  { ...needsNats, timeout: 120_000 },
  async (t) => {
    const { server, nats } = await startTestNats(t);
    const host = await startHost(t);
    await startPublisher(t, { server, ...host });
    await inStep(nats, [host]);
    const fleet = await FleetClient.connect({ servers: [server.url], name: 'test' });
    t.teardown(() => fleet.close());
    const all = await fleet.vms();
    const [vm, gone] = all;
    const zonename = vm?.zonename ?? '';
    const watcher = await fleet.watch();
    t.teardown(() => watcher.close());
    const ended = new AbortController();
    const aliases: (string | undefined)[] = [];
    const events = fleet.events({ zonename, signal: ended.signal })[Symbol.asyncIterator]();
    await events.next();
    const until = async (alias: string) => {
      for (;;) {
        const { value } = (await events.next()) as { value: { vm?: { alias?: string } } };
        if (value.vm?.alias !== aliases.at(-1)) aliases.push(value.vm?.alias);
        if (value.vm?.alias === alias) return;
      }
    };
    const rename = (alias: string) => host.daemon.host.updateConfig(zonename, { attrs: { alias } });
    await rename('one');
    await until('one');
    await server.crash();
    await server.start();
    await rename('two');
    await until('two');
    await server.crash();
    server.deleteStore();
    await host.daemon.host.destroyZone(gone?.zonename ?? '');
    await host.daemon.rescan();
    await server.start();
    await initFleet(await connect(t, server));
    await rename('three');
    await until('three');
    // When the store is lost the VM is gone from it, until its host has written it again.
    t.strictSame(aliases.filter((alias) => alias !== undefined).slice(-3), ['one', 'two', 'three']);
    ended.abort();
    await events.return?.();

    await inStep(nats, [host]);
    const names = (vms: Iterable<{ zonename: string }>) => [...vms].map((each) => each.zonename).sort();
    const stored = names((await bucketVms(nats)).values());
    t.equal(stored.length, all.length - 1);
    await eventually(
      () => JSON.stringify(names(watcher.vms.values())) === JSON.stringify(stored),
      'a reader from before has the same VMs as the store that replaced it',
    );
  },
);

void tap.test(
  'beyond the messages that are kept, a reader says that it missed changes',
  needsNats,
  async (t) => {
    const { server, nats } = await startTestNats(t);
    const host = { datacenter: 'emy-17', server: 'a' };
    let after = 0;
    let seq = 0;
    const rename = async (alias: string) => {
      const vm = aVm({ alias });
      const [{ zonename }, at] = [vm, new Date().toISOString()];
      const write = {
        zonename,
        wanted: { vm, hash: hashOf(vm), at },
        at,
        after,
        previous: undefined,
        coalesced: 0,
      };
      after = (await writeVm({ nats, host, instance: 'test', epoch: 1, seq: ++seq }, write)) ?? 0;
    };
    await rename('first');
    const fleet = await FleetClient.connect({ servers: [server.url], name: 'test' });
    t.teardown(() => fleet.close());
    const lost: Error[] = [];
    const told: number[] = [];
    const events = fleet
      .events({
        onDisconnect: (error) => lost.push(error),
        onReconnect: (missed) => told.push(missed),
      })
      [Symbol.asyncIterator]();
    await events.next();
    const next = async () => ((await events.next()) as { value: VmEvent & { missed?: true } }).value;
    /** Takes the reader's consumer away, and writes before it has another. */
    const renameUnseen = async (name: string, times: number) => {
      for (const consumer of await nats.manager.consumers.list('KV_vminfo').next())
        await nats.manager.consumers.delete('KV_vminfo', consumer.name);
      for (let n = 1; n <= times; n++) await rename(`${name}-${n}`);
    };
    await renameUnseen('few', 8);
    for (let n = 1; n <= 8; n++) t.match(await next(), { vm: { alias: `few-${n}` }, missed: undefined });
    await renameUnseen('many', 10);
    t.match(await next(), { vm: { alias: 'many-10' }, missed: true });
    await rename('last');
    t.match(await next(), { vm: { alias: 'last' }, missed: undefined });
    t.equal(lost.length, 2);
    t.strictSame(told, [8, 1]);
    await events.return?.();
  },
);
