/**
 * `npm run bench:fleet`: a fleet whose hosts are keys that this process writes, but for one, which is real: a simulated
 * host with its daemon and publisher.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { VminfodClient, type VmClient } from '../../lib/client/client.js';
import { FleetClient } from '../../lib/fleet/client.js';
import { connectNats, type Nats } from '../../lib/fleet/connection.js';
import { hashOf } from '../../lib/fleet/message.js';
import { redaction } from '../../lib/fleet/redact.js';
import { initFleet } from '../../lib/fleet/streams.js';
import { writeVm } from '../../lib/fleet/write-vm.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { eventually } from '../daemon/harness.js';
import { datacenter, inStep } from '../fleet/harness.js';
import { startNatsServer } from '../fleet/nats-server.js';
import { StormHost } from '../fleet/storm-host.js';
import { percentile } from './statistics.js';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '100' },
    vms: { type: 'string', default: '100' },
    changes: { type: 'string', default: '200' },
  },
});
const [hosts, vmsPerHost, changes] = [Number(values.hosts), Number(values.vms), Number(values.changes)];

const cleanups: (() => unknown)[] = [];
const scope = { teardown: (cleanup: () => unknown) => void cleanups.push(cleanup) };
async function bench(): Promise<void> {
  const server = await startNatsServer();
  scope.teardown(() => server.remove());
  const nats = await connectNats({ servers: [server.url] }, 'bench');
  scope.teardown(() => nats.connection.close());
  await initFleet(nats);
  const real = await StormHost.start(scope, { number: 0, vms: vmsPerHost, servers: server.url });
  await real.settle();
  await inStep(nats, [real]);
  const vms = (await real.daemon.vms()).map(redaction());
  const one = vms.find(({ state }) => state === 'running') ?? vms[0];
  if (one === undefined) throw new Error('the host has no VM');

  const began = performance.now();
  await publishAll(nats, vms);
  const publishMs = performance.now() - began;
  const keys = (hosts - 1) * vms.length;
  const { state } = await nats.manager.streams.info('KV_vminfo');
  say(
    `publish ${keys} VMs of ${hosts - 1} hosts, 32 in flight`,
    `${round(publishMs)} ms, ${round((1000 * keys) / publishMs)} a second`,
  );
  say('a message', `${round(state.bytes / state.messages)} bytes`);

  const consumer = await runConsumer(server.url);
  say(`new consumer: ${consumer.vms} VMs, full view`, `${round(consumer.ms)} ms`);
  say(
    'memory of a consumer per 1,000 VMs',
    `${((1000 * consumer.bytes) / consumer.vms / 1024 ** 2).toFixed(1)} MiB`,
  );

  const daemon = new VminfodClient({ name: 'bench', url: real.url });
  const fleet = await FleetClient.connect({ servers: [server.url], name: 'bench' });
  scope.teardown(() => Promise.all([daemon.close(), fleet.close()]));
  const [own, all] = [new Arrivals(daemon), new Arrivals(fleet)];
  await Promise.all([own.ready, all.ready]);
  const changedAt = new Map<string, number>();
  for (let n = 0; n < changes; n++) {
    const alias = `bench-${n}`;
    changedAt.set(alias, performance.now());
    await real.simulated.updateConfig(one.zonename, { attrs: { alias } });
    await eventually(() => all.at.has(alias) && own.at.has(alias), 'the change is seen');
  }
  const since = (arrivals: ReadonlyMap<string, number>) =>
    [...changedAt].map(([alias, at]) => (arrivals.get(alias) ?? NaN) - at);
  const [ownMs, allMs] = [since(own.at), since(all.at)];
  const between = allMs.map((ms, index) => ms - (ownMs[index] ?? NaN));
  const bytes = Buffer.from(JSON.stringify(one));
  say("change → the daemon's event", quantiles(ownMs));
  say("change → the fleet's event", quantiles(allMs));
  say('of which after the daemon', quantiles(between));
  say(`bare publish and subscribe of ${bytes.length} bytes`, quantiles(await bare(server.url, nats, bytes)));
  say('memory of the publisher', `${round(residentBytes(real.publisher.pid) / 1024 ** 2)} MiB`);
  say('memory of nats-server', `${round(residentBytes(server.pid()) / 1024 ** 2)} MiB`);
}

/** All hosts but the real one, each VM once. */
async function publishAll(nats: Nats, vms: readonly VmObject[]): Promise<void> {
  const at = new Date().toISOString();
  const pending = Array.from({ length: hosts - 1 }, (_, n) => n + 1).flatMap((number) =>
    vms.map((vm, n) => {
      const zonename = `${String(number).padStart(8, '0')}${vm.zonename.slice(8)}`;
      return { number, seq: n + 1, vm: { ...vm, zonename, uuid: zonename } };
    }),
  );
  const write = async () => {
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { number, seq, vm } = next;
      const host = { datacenter, server: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` };
      await writeVm(
        { nats, host, instance: `bench-${number}`, epoch: 1, seq },
        {
          ...{ zonename: vm.zonename, wanted: { vm, hash: hashOf(vm), at }, at },
          ...{ after: 0, previous: undefined, coalesced: 0 },
        },
      );
    }
  };
  await Promise.all(Array.from({ length: 32 }, write));
}

/** When each alias of a VM was seen first. */
class Arrivals {
  readonly at = new Map<string, number>();
  readonly ready: Promise<void>;

  constructor(client: VmClient) {
    this.ready = new Promise((resolve, reject) => {
      // When the client is closed, it is settled already.
      this.#follow(client, resolve).catch(reject);
    });
  }

  async #follow(client: VmClient, onReady: () => void): Promise<void> {
    for await (const event of client.events()) {
      if (event.type === 'ready') onReady();
      else if (event.type === 'modify') this.at.set(event.vm.alias ?? '', performance.now());
    }
  }
}

interface ConsumerReport {
  readonly vms: number;
  readonly ms: number;
  readonly bytes: number;
}

/** A consumer that watches everything, in a process of its own. */
async function runConsumer(url: string): Promise<ConsumerReport> {
  const program = fileURLToPath(new URL('fleet-consumer.js', import.meta.url));
  const child = spawn(process.execPath, ['--expose-gc', program, url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return JSON.parse(line) as ConsumerReport;
}

/** A message of these bytes over core NATS, one after the other: what no stream can undercut. */
async function bare(url: string, publisher: Nats, bytes: Uint8Array): Promise<readonly number[]> {
  const subscriber = await connectNats({ servers: [url] }, 'bench');
  try {
    const subscription = subscriber.connection.subscribe('bench');
    await subscriber.connection.flush();
    const messages = subscription[Symbol.asyncIterator]();
    const latencies: number[] = [];
    for (let n = 0; n < changes; n++) {
      const began = performance.now();
      publisher.connection.publish('bench', bytes);
      await messages.next();
      latencies.push(performance.now() - began);
    }
    return latencies;
  } finally {
    await subscriber.connection.close();
  }
}

function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

function quantiles(ms: readonly number[]): string {
  return `p50 ${percentile(ms, 0.5).toFixed(1)} ms, p99 ${percentile(ms, 0.99).toFixed(1)} ms`;
}

function say(what: string, value: string): void {
  process.stdout.write(`${what.padEnd(52)} ${value}\n`);
}

function round(value: number): number {
  return Math.round(value);
}

try {
  await bench();
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
