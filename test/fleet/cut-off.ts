/** Readers whose connections are cut again and again, while VMs change. */
import { connect as connectTo, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Test } from 'tap';
import { VminfodClient } from '../../lib/client/client.js';
import type { StreamEvent } from '../../lib/client/events.js';
import { FleetClient } from '../../lib/fleet/client.js';
import type { Nats } from '../../lib/fleet/connection.js';
import { hashOf } from '../../lib/fleet/message.js';
import { writeVm } from '../../lib/fleet/write-vm.js';
import { createRandom } from '../../lib/simulator/index.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { aVm } from '../client/a-vm.js';
import { eventually } from '../daemon/harness.js';
import type { NatsServer } from './nats-server.js';

export interface CutOffOptions {
  readonly server: NatsServer;
  readonly nats: Nats;
  /** The gateway. */
  readonly url: string;
  /** How often each reader is cut off. */
  readonly cuts: { readonly http: number; readonly nats: number };
  readonly seed: number;
}

/** Cuts, and compares what the readers have seen with what was written. */
export async function cutOff(t: Test, { server, nats, url, cuts, seed }: CutOffOptions): Promise<void> {
  const random = createRandom(seed);
  const writer = new Writer(nats);
  for (let n = 0; n < 5; n++) await writer.write(n);
  const http = await Proxy.start(t, Number(new URL(url).port));
  const toNats = await Proxy.start(t, server.port);
  const client = new VminfodClient({ url: `http://127.0.0.1:${http.port}`, name: 'cut off' });
  const fleet = await FleetClient.connect({ servers: [`nats://127.0.0.1:${toNats.port}`], name: 'cut off' });
  t.teardown(() => Promise.all([client.close(), fleet.close()]));
  await client.ready({ timeoutMs: 60_000 });
  const readers = [
    { name: 'over HTTP', proxy: http, cuts: cuts.http, reader: new Reader(client.events()) },
    { name: 'of NATS', proxy: toNats, cuts: cuts.nats, reader: new Reader(fleet.events()) },
  ];
  for (const { name, reader, proxy, cuts: count } of readers) {
    await reader.ready;
    for (let cut = 0; cut < count; cut++) {
      await eventually(() => proxy.isUsed, 'it is connected again');
      for (let n = random.integer(0, 4); n > 0; n--) await writer.write(random.integer(0, 4));
      proxy.cut();
      for (let n = random.integer(0, 4); n > 0; n--) await writer.write(random.integer(0, 4));
    }
    t.comment(`${name}: cut off ${proxy.cuts} times, ${writer.count} changes so far`);
  }
  for (const { name, reader } of readers) {
    await eventually(
      () => JSON.stringify(reader.last) === JSON.stringify(writer.last),
      `the reader ${name} has the last states`,
    );
    t.strictSame(reader.wrong, [], `${name}: nothing twice or backwards`);
  }
}

/** Writes VMs whose alias says how often they have been written. */
class Writer {
  readonly #nats: Nats;
  readonly #vms = new Map<string, { readonly count: number; readonly revision: number }>();
  count = 0;

  constructor(nats: Nats) {
    this.#nats = nats;
  }

  get last(): Readonly<Record<string, number>> {
    return sorted([...this.#vms].map(([zonename, { count }]) => [zonename, count]));
  }

  async write(number: number): Promise<void> {
    const zonename = `zone-${number}`;
    const { count, revision: after } = this.#vms.get(zonename) ?? { count: 0, revision: 0 };
    const vm = aVm({ zonename, uuid: zonename, alias: String(count + 1) });
    const [host, at] = [{ datacenter: 'emy-17', server: 'a' }, new Date().toISOString()];
    const revision = await writeVm(
      { nats: this.#nats, host, instance: 'test', epoch: 1, seq: ++this.count },
      { zonename, wanted: { vm, hash: hashOf(vm), at }, at, after, previous: undefined, coalesced: 0 },
    );
    this.#vms.set(zonename, { count: count + 1, revision: revision ?? 0 });
  }
}

/** Follows, and notes what it should not have been told. */
class Reader {
  readonly #counts = new Map<string, number>();
  readonly wrong: string[] = [];
  readonly ready: Promise<void>;

  constructor(events: AsyncIterable<StreamEvent>) {
    this.ready = new Promise((resolve, reject) => {
      this.#follow(events, resolve).catch(reject);
    });
  }

  get last(): Readonly<Record<string, number>> {
    return sorted([...this.#counts]);
  }

  async #follow(events: AsyncIterable<StreamEvent>, onReady: () => void): Promise<void> {
    for await (const event of events) {
      if (event.type === 'ready') {
        for (const vm of event.vms) this.#take(vm);
        onReady();
      } else if (event.type === 'delete') this.wrong.push(`${event.zonename} was deleted`);
      else this.#take(event.vm);
    }
  }

  #take({ zonename, alias }: VmObject): void {
    const [before, now] = [this.#counts.get(zonename) ?? 0, Number(alias)];
    if (now <= before) this.wrong.push(`${zonename}: ${now} after ${before}`);
    this.#counts.set(zonename, now);
  }
}

function sorted(entries: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Passes on what it gets, until its connections are cut. */
class Proxy {
  readonly #sockets = new Set<Socket>();
  readonly port: number;
  cuts = 0;

  private constructor(sockets: Set<Socket>, port: number) {
    this.#sockets = sockets;
    this.port = port;
  }

  static async start(t: Test, target: number): Promise<Proxy> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connectTo(target, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on('error', () => undefined); // It is cut on purpose.
        socket.once('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = new Proxy(sockets, (server.address() as AddressInfo).port);
    t.teardown(() => {
      server.close();
      proxy.cut();
    });
    return proxy;
  }

  get isUsed(): boolean {
    return this.#sockets.size > 0;
  }

  cut(): void {
    this.cuts++;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }
}
