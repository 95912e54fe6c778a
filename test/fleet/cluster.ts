/** Three nats-servers on loopback that are a cluster. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { startNatsServer, type NatsServer } from './nats-server.js';

export interface NatsCluster {
  /** By their names. */
  readonly servers: ReadonlyMap<string, NatsServer>;
  readonly urls: readonly string[];
  /** Whether all three are in step about which streams and consumers there are. */
  readonly isWhole: () => Promise<boolean>;
}

/** What `/jsz` says of the servers' own group; the replicas only at its leader. */
interface Monitored {
  readonly meta_cluster?: {
    readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
  };
}

/** Starts one, for a test, which ends it. */
export async function startCluster(t: Test): Promise<NatsCluster> {
  const names = ['one', 'two', 'three'];
  const ports = await freePorts(names.length);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
  const started = names.map(async (name, index): Promise<[string, NatsServer]> => {
    const cluster = `cluster { name: fleet, listen: "127.0.0.1:${ports[index] ?? 0}", routes: [${routes}] }`;
    const server = await startNatsServer({
      config: `server_name: ${name}\nhttp: "127.0.0.1:-1"\n${cluster}`,
    });
    t.teardown(() => server.remove());
    return [name, server];
  });
  const servers = new Map(await Promise.all(started));
  const isWhole = async () => {
    const answers = [...servers.values()].map(async ({ monitor = '' }) => {
      const answer = await fetch(`${monitor}/jsz`, { signal: AbortSignal.timeout(5_000) });
      return (await answer.json()) as Monitored;
    });
    const replicas = (await Promise.all(answers)).flatMap((each) => each.meta_cluster?.replicas ?? []);
    return replicas.length === 2 && replicas.every(({ current, offline }) => current && !offline);
  };
  return { servers, urls: [...servers.values()].map(({ url }) => url), isWhole };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
