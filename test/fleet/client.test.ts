/** FleetClient over a real nats-server, two hosts and their publishers. */
import tap from 'tap';
import { FleetClient } from '../../lib/fleet/client.js';
import { startHost, startPublisher, startTestNats, inStep } from './harness.js';
import { needsNats } from './nats-server.js';

tap.setTimeout(240_000);

void tap.test('one place for the VMs of two hosts', needsNats, async (t) => {
  const { server, nats } = await startTestNats(t);
  const first = await startHost(t);
  const second = await startHost(t);
  const other = { ...second, host: { ...second.host, server: '00000000-0000-4000-8000-000000000002' } };
  await startPublisher(t, { server, ...first });
  const away = await startPublisher(t, { server, ...other });
  await inStep(nats, [first, other]);

  const fleet = await FleetClient.connect({ servers: [server.url], name: 'test' });
  t.teardown(() => fleet.close());
  const vms = await fleet.vms();
  t.equal(vms.length, 2 * (await fleet.vms({ host: first.host.server })).length, 'narrowed to a host');
  t.equal((await fleet.hosts()).length, 2);
  const [vm] = vms;
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

  await away.stop();
  const stale = (await fleet.vms()).filter((each) => 'stale' in each);
  t.equal(stale.length, vms.length / 2, 'of a host that is away they are shown, as stale');
  t.notOk('stale' in (await fleet.vm(zonename)), 'one that is heard of goes first');
  await t.rejects(fleet.vm('nothing'), { name: 'NotFoundError' });
  await t.rejects(fleet.vm(zonename, { sync: true }), { name: 'BadRequestError' });
});

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
    const [vm] = await fleet.vms();
    const zonename = vm?.zonename ?? '';
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
    await server.start();
    const { initFleet } = await import('../../lib/fleet/streams.js');
    const { connect } = await import('./harness.js');
    await initFleet(await connect(t, server));
    await rename('three');
    await until('three');
    // When the store is lost the VM is gone from it, until its host has written it again.
    t.strictSame(aliases.filter((alias) => alias !== undefined).slice(-3), ['one', 'two', 'three']);
    ended.abort();
    await events.return?.();
  },
);
