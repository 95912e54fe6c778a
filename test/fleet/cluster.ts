/** Three nats-servers on loopback that are a cluster. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { startNatsServer, type NatsServer } from './nats-server.js';

export interface NatsCluster {
  /** By their names. */
  readonly servers: ReadonlyMap<string, NatsServer>;
  readonly urls: readonly string[];
}

/** Starts one, for a test, which ends it. */
export async function startCluster(t: Test): Promise<NatsCluster> {
  const names = ['one', 'two', 'three'];
  const ports = await freePorts(names.length);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  const started = names.map(async (name, index): Promise<[string, NatsServer]> => {
    const cluster = `cluster { name: fleet, listen: "127.0.0.1:${ports[index] ?? 0}", routes: [${routes}] }`;
    const server = await startNatsServer({ config: `server_name: ${name}\n${cluster}` });
    t.teardown(() => server.remove());
    return [name, server];
  });
  const servers = new Map(await Promise.all(started));
  return { servers, urls: [...servers.values()].map(({ url }) => url) };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
