/**
 * Hosts to which things happen while everything about them breaks; afterwards the bucket must be what the hosts are.
 */
import type { Test } from 'tap';
import { FleetClient } from '../../lib/fleet/client.js';
import { connectNats, type Nats } from '../../lib/fleet/connection.js';
import { FleetError } from '../../lib/fleet/errors.js';
import { initFleet, type InitOptions } from '../../lib/fleet/streams.js';
import { createRandom, performAction } from '../../lib/simulator/index.js';
import { eventually } from '../daemon/harness.js';
import { bucketVms, connect, duplicateIds, expectedVms, inStep } from './harness.js';
import { startNatsServer } from './nats-server.js';
import { StormHost } from './storm-host.js';

export interface StormOptions {
  readonly seed: number;
  readonly hosts: number;
  readonly vms: number;
  readonly actions: number;
  /** One fault after so many actions. */
  readonly actionsPerFault: number;
  /** How long a server is stopped with SIGSTOP. */
  readonly stopMs: number;
}

/** The faults, in this order from one that the seed chooses. */
const faults = ['publisher', 'server', 'stop', 'lose', 'daemon', 'older', 'full', 'save'] as const;

export async function storm(t: Test, options: StormOptions): Promise<void> {
  const random = createRandom(options.seed);
  const server = await startNatsServer();
  t.teardown(() => server.remove());
  /** On a new connection: others may not be back yet after a fault. */
  const operate = async (use: (nats: Nats) => Promise<unknown>) => {
    const nats = await connectNats({ servers: [server.url] }, 'operator');
    await use(nats).finally(() => nats.connection.close());
  };
  const init = (settings?: InitOptions) => operate((nats) => initFleet(nats, settings));
  await init();
  const hosts: StormHost[] = [];
  for (let number = 0; number < options.hosts; number++) {
    hosts.push(await StormHost.start(t, { number, vms: options.vms, servers: server.url }));
  }
  for (const host of hosts) await host.settle();
  const nats = await connect(t, server);
  await inStep(nats, hosts);
  const fleet = await FleetClient.connect({ servers: [server.url], name: 'storm' });
  t.teardown(() => fleet.close());
  const watcher = await fleet.watch();
  t.teardown(() => watcher.close());
  let lift: (() => Promise<void>) | undefined;

  const breakSomething = async (fault: (typeof faults)[number]): Promise<unknown> => {
    await lift?.();
    lift = undefined;
    switch (fault) {
      case 'publisher':
        return random.pick(hosts).publisher.crash();
      case 'daemon':
        return random.pick(hosts).restartDaemon();
      case 'server':
        await server.crash();
        return server.start();
      case 'stop':
        server.kill('SIGSTOP');
        lift = () => {
          server.kill('SIGCONT');
          return Promise.resolve();
        };
        return new Promise<void>((resolve) => setTimeout(resolve, options.stopMs));
      case 'lose':
        await server.crash();
        server.deleteStore();
        await server.start();
        return init();
      case 'save':
        await server.crash();
        server.saveStore();
        return server.start();
      case 'older':
        await server.crash();
        server.restoreStore();
        await server.start();
        return init();
      case 'full': {
        // No room for one more message, until the next fault.
        const shrink = async (nats: Nats) => {
          const { state } = await nats.manager.streams.info('KV_vminfo');
          await initFleet(nats, { maxBytes: state.bytes + 1 });
        };
        await operate(shrink).catch((error: unknown) => {
          // Publishers went on writing between the two calls: then it is larger than that.
          if (!(error instanceof FleetError)) throw error;
        });
        lift = () => init({ maxBytes: 2 ** 30 });
        return undefined;
      }
    }
  };

  const counts = new Map<string, number>();
  for (let count = 1; count <= options.actions; count++) {
    await performAction(random.pick(hosts).simulated, random);
    if (count % options.actionsPerFault !== 0) continue;
    const fault = faults[(count / options.actionsPerFault + options.seed) % faults.length] ?? 'server';
    counts.set(fault, (counts.get(fault) ?? 0) + 1);
    await breakSomething(fault);
  }
  await lift?.();
  t.comment(`${options.actions} actions, faults: ${JSON.stringify(Object.fromEntries(counts))}`);
  for (const host of hosts) await host.settle();
  await inStep(nats, hosts);
  const expected = await expectedVms(hosts);
  t.strictSame(await bucketVms(nats), expected, 'the bucket is what the hosts are');
  t.strictSame(await duplicateIds(nats), [], 'no message is there twice');
  const seen = () =>
    new Map([...watcher.vms.values()].map((vm) => [`${vm.server_uuid ?? ''}/${vm.zonename}`, vm.alias]));
  const shouldSee = new Map([...expected].map(([key, { alias }]) => [key, alias]));
  const sorted = (map: Map<string, unknown>) => JSON.stringify([...map].sort());
  await eventually(() => sorted(seen()) === sorted(shouldSee), 'a reader from the beginning has the same');
}
