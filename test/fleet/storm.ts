/**
 * Hosts to which things happen while everything about them breaks; afterwards the bucket must be what the hosts are.
 */
import type { Test } from 'tap';
import { initFleet } from '../../lib/fleet/streams.js';
import { connectNats } from '../../lib/fleet/connection.js';
import { createRandom, performAction } from '../../lib/simulator/index.js';
import { bucketVms, connect, expectedVms, inStep, startHost } from './harness.js';
import { startNatsServer } from './nats-server.js';
import { PublisherProcess } from './publisher-process.js';

export interface StormOptions {
  readonly seed: number;
  readonly hosts: number;
  readonly vms: number;
  readonly actions: number;
  /** One fault after so many actions. */
  readonly actionsPerFault: number;
}

/** The faults, in an order determined by the seed. */
const faults = ['publisher', 'server', 'stop', 'lose', 'older', 'save'] as const;

export async function storm(t: Test, options: StormOptions): Promise<void> {
  const random = createRandom(options.seed);
  const server = await startNatsServer();
  t.teardown(() => server.remove());
  const init = async () => {
    const nats = await connectNats({ servers: [server.url] }, 'init');
    await initFleet(nats);
    await nats.connection.close();
  };
  await init();
  const hosts: (Awaited<ReturnType<typeof startHost>> & { publisher: PublisherProcess })[] = [];
  for (let number = 0; number < options.hosts; number++) {
    const { daemon, host } = await startHost(t, options.vms);
    // Simulated hosts with the same seed are equal, so each gets its own.
    const id = { ...host, server: `${host.server.slice(0, -4)}${String(number).padStart(4, '0')}` };
    const { url } = daemon.daemon;
    const publisher = new PublisherProcess([
      ...['--servers', server.url, '--url', url, '--root', daemon.host.root],
      ...['--server-uuid', id.server, '--datacenter', id.datacenter, '--hostname', `host-${number}`],
    ]);
    t.teardown(() => publisher.end());
    hosts.push({ daemon, host: id, publisher });
  }
  const nats = await connect(t, server);

  const breakSomething = async (fault: (typeof faults)[number]) => {
    t.comment(fault);
    switch (fault) {
      case 'publisher':
        return random.pick(hosts).publisher.crash();
      case 'server':
        await server.crash();
        return server.start();
      case 'stop':
        server.kill('SIGSTOP');
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        server.kill('SIGCONT');
        return;
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
    }
  };

  for (let count = 1; count <= options.actions; count++) {
    await performAction(random.pick(hosts).daemon.host, random);
    if (count % options.actionsPerFault === 0) {
      await breakSomething(
        faults[(count / options.actionsPerFault + options.seed) % faults.length] ?? 'server',
      );
    }
  }
  for (const { daemon } of hosts) await daemon.rescan();
  await inStep(nats, hosts);
  t.strictSame(await bucketVms(nats), await expectedVms(hosts), 'the bucket is what the hosts are');
  t.strictSame(await duplicateIds(nats), [], 'no message is there twice');
}

async function duplicateIds({ manager }: Awaited<ReturnType<typeof connect>>): Promise<string[]> {
  const { state } = await manager.streams.info('KV_vminfo');
  const seen = new Set<string>();
  const twice: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const id = (await manager.direct.getMessage('KV_vminfo', { seq }))?.header.get('Nats-Msg-Id');
    if (id === undefined) continue;
    if (seen.has(id)) twice.push(id);
    seen.add(id);
  }
  return twice;
}
