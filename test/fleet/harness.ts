/** A fleet for a test: a nats-server, hosts with their daemons, and publishers in this process. */
import { pino } from 'pino';
import type { Test } from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import { UnreachableError } from '../../lib/client/errors.js';
import { FleetClient } from '../../lib/fleet/client.js';
import { connectNats, type Nats } from '../../lib/fleet/connection.js';
import { consume } from '../../lib/fleet/consume.js';
import { FleetError } from '../../lib/fleet/errors.js';
import { hashOf, decodeMessage, type StoredMessage } from '../../lib/fleet/message.js';
import { vmStream, vmSubjects, type HostId } from '../../lib/fleet/names.js';
import { publish } from '../../lib/fleet/publisher.js';
import { redaction } from '../../lib/fleet/redact.js';
import { initFleet } from '../../lib/fleet/streams.js';
import { startGateway, type Gateway } from '../../lib/gateway.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { eventually, startTestDaemon, type TestDaemon } from '../daemon/harness.js';
import { startNatsServer, type NatsServer } from './nats-server.js';

export const datacenter = 'emy-17';

/** Starts a nats-server with the fleet's streams, for a test, which ends it. */
export async function startTestNats(
  t: Test,
  config?: string,
): Promise<{ readonly server: NatsServer; readonly nats: Nats }> {
  const server = await startNatsServer(config === undefined ? {} : { config });
  t.teardown(() => server.remove());
  const nats = await connect(t, server);
  await initFleet(nats);
  return { server, nats };
}

/** A connection for a test, which closes it. */
export async function connect(t: Test, server: NatsServer, url = server.url): Promise<Nats> {
  const nats = await connectNats({ servers: [url] }, 'test');
  t.teardown(() => nats.connection.close());
  return nats;
}

export interface TestPublisher {
  readonly log: readonly Record<string, unknown>[];
  /** Gives the host up, and resolves when it has ended. */
  stop(): Promise<void>;
}

/** Runs a publisher for a test, which ends it. */
export async function startPublisher(
  t: Test,
  {
    server,
    daemon,
    host,
    inboxPrefix,
    url = server?.url ?? '',
    urls = [url],
  }: {
    server?: NatsServer;
    daemon: TestDaemon;
    host: HostId;
    inboxPrefix?: string;
    url?: string;
    urls?: readonly string[];
  },
): Promise<TestPublisher> {
  const options = { servers: urls, ...(inboxPrefix !== undefined && { inboxPrefix }) };
  const nats = await connectNats(options, 'test publisher');
  const records: Record<string, unknown>[] = [];
  const write = (line: string) => records.push(JSON.parse(line) as Record<string, unknown>);
  const stopped = new AbortController();
  const client = new VminfodClient({ name: 'test publisher', url: daemon.daemon.url });
  const running = publish({
    nats,
    client,
    host,
    facts: { hostname: host.server, sysinfo: {}, machine: 'test', version: '0' },
    log: pino({ level: 'debug' }, { write }),
    signal: stopped.signal,
  });
  const stop = async () => {
    stopped.abort();
    await running;
    await client.close();
    await nats.connection.close();
  };
  t.teardown(stop);
  return { log: records, stop };
}

/** Runs a gateway for a test, which ends it. */
export async function serveFleet(t: Test, server: NatsServer): Promise<Gateway> {
  const fleet = await FleetClient.connect({ servers: [server.url], name: 'gateway' });
  const log = pino({ level: 'silent' });
  const gateway = await startGateway({ fleet, listen: '127.0.0.1', port: 0, page: true, log });
  t.teardown(async () => {
    await gateway.close();
    await gateway.ended;
    await fleet.close();
  });
  return gateway;
}

/** A host with a daemon. */
export async function startHost(t: Test, vms = 3): Promise<{ daemon: TestDaemon; host: HostId }> {
  const daemon = await startTestDaemon(t, { vms });
  const [vm] = await daemon.vms();
  return { daemon, host: { datacenter, server: vm?.server_uuid ?? 'none' } };
}

/** A host's id with another server's UUID: all simulated hosts have the same one, and the same VMs. */
export function otherServer(host: HostId, number: number): HostId {
  return { ...host, server: `${host.server.slice(0, -4)}${String(number).padStart(4, '0')}` };
}

/** The last message of each VM of the fleet, by `server/zonename`: what any reader of the bucket finds. */
export async function readBucket(nats: Nats, filter = vmSubjects()): Promise<Map<string, StoredMessage>> {
  const found = new Map<string, StoredMessage>();
  const end = new AbortController();
  for await (const raw of consume(nats, vmStream, { filter, signal: end.signal })) {
    if (raw === 'abreast') break;
    const message = decodeMessage(raw);
    if (message) found.set(`${message.key.server}/${message.key.zonename}`, message);
  }
  return found;
}

/** The VMs of the bucket. */
export async function bucketVms(nats: Nats): Promise<Map<string, VmObject>> {
  const all = [...(await readBucket(nats))];
  return new Map(all.flatMap(([key, { vm }]) => (vm ? [[key, vm] as const] : [])));
}

/** A host, and what its daemon answers. */
export interface PublishedHost {
  readonly daemon: Pick<TestDaemon, 'vms'>;
  readonly host: HostId;
}

/** What the bucket should have of these hosts. */
export async function expectedVms(hosts: readonly PublishedHost[]): Promise<Map<string, VmObject>> {
  const redact = redaction();
  const expected = new Map<string, VmObject>();
  for (const { daemon, host } of hosts) {
    for (const vm of await daemon.vms()) {
      if (String(vm.do_not_inventory) !== 'true') expected.set(`${host.server}/${vm.zonename}`, redact(vm));
    }
  }
  return expected;
}

/** Resolves when the bucket equals the hosts, key for key. */
export async function inStep(nats: Nats, hosts: readonly PublishedHost[]): Promise<void> {
  await eventually(async () => {
    const [actual, expected] = [await bucketVms(nats).catch(unlessUnreachable), await expectedVms(hosts)];
    if (actual?.size !== expected.size) return false;
    return [...expected].every(([key, vm]) => {
      const stored = actual.get(key);
      return stored !== undefined && hashOf(stored) === hashOf(vm);
    });
  }, 'the bucket is as the hosts are');
}

/** A server that has just been started may need a moment. */
function unlessUnreachable(error: unknown): undefined {
  if (!(error instanceof UnreachableError || error instanceof FleetError)) throw error;
}

/** How many messages the stream has ever had. */
export async function lastSequence({ manager }: Nats): Promise<number> {
  return (await manager.streams.info(vmStream)).state.last_seq;
}

/** Ids that more than one message has. */
export async function duplicateIds({ manager }: Nats): Promise<string[]> {
  const { state } = await manager.streams.info(vmStream);
  const seen = new Set<string>();
  const twice: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const id = (await manager.direct.getMessage(vmStream, { seq }))?.header.get('Nats-Msg-Id');
    if (id === undefined) continue;
    if (seen.has(id)) twice.push(id);
    seen.add(id);
  }
  return twice;
}
