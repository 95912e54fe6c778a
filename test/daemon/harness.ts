/**
 * A whole daemon over real HTTP on a simulated global zone, for one test: port 0, a temporary root, and at the end
 * nothing left behind, or the test fails.
 */
import { existsSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { pino, type Logger } from 'pino';
import { Subject } from 'rxjs';
import type { Test } from 'tap';
import { startDaemon, type Daemon, type DaemonOptions } from '../../lib/daemon.js';
import { createSimulatedHost, type SimulatedHost } from '../../lib/simulator/index.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import type { VmEvent } from '../../lib/vm/event.js';
import type { VmObject } from '../../lib/vm/vm-object.js';

/** A rescan would hide what events miss, so tests that do not ask for one have none. */
const neverMs = 2 ** 31 - 1;

export interface TestDaemonOptions extends Partial<
  Pick<DaemonOptions, 'rescanIntervalMs' | 'syncTimeoutMs' | 'watch'>
> {
  /** How many VMs the simulated host has. Default 3. */
  readonly vms?: number;
  /** Called with the host before the daemon starts, e.g. to break something. */
  readonly prepare?: (host: SimulatedHost) => unknown;
  /** Do not wait for the first load. */
  readonly booting?: boolean;
}

/** What a daemon answers. */
export interface Answers {
  /** An answer, whatever its status. */
  readonly get: (path: string) => Promise<Answer>;
  /** A VM; fails unless there is one. */
  readonly vm: (zonename: string) => Promise<VmObject>;
  readonly vms: () => Promise<VmObject[]>;
  readonly status: () => Promise<Status>;
}

/** A daemon under test, in this process or in one of its own. */
export interface SomeDaemon extends Answers {
  readonly host: SimulatedHost;
  /** Opens `/events`; resolves when `ready` is there. */
  readonly listen: () => Promise<Listening>;
  /** Asks for a rescan and resolves when it is over. */
  readonly rescan: () => Promise<void>;
}

/** A daemon in this process. */
export interface TestDaemon extends SomeDaemon {
  readonly daemon: Daemon;
  /** What it logged. */
  readonly log: readonly Record<string, unknown>[];
  /** Asks for a rescan, as SIGHUP does. */
  readonly requests: Subject<Invalidation>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly json: unknown;
}

/** What tests look at in `/status`. */
export interface Status {
  readonly state: string;
  readonly numVms: number;
  readonly awaiting: readonly string[];
  readonly sources: readonly {
    readonly name: string;
    readonly state: string;
    readonly restarts: number;
    readonly events: number;
    readonly lastError: { readonly message: string } | null;
  }[];
  readonly files: {
    readonly threads: number;
    readonly stuck: number;
    readonly hung: readonly { readonly zonename: string; readonly since: string }[];
    readonly stalled: boolean;
  };
  readonly loadErrors: readonly { readonly zone: string; readonly input: string; readonly error: string }[];
  readonly refreshErrors: readonly { readonly err: string }[];
  readonly refreshLog?: readonly {
    readonly reason: string;
    readonly vmChanges: readonly { readonly zonename: string }[];
  }[];
  readonly missed: Readonly<Record<string, number>>;
  readonly eventsListeners: Readonly<Record<string, { readonly userAgent: string }>>;
  readonly queue: { readonly idle: boolean; readonly vasync_queue: { readonly nqueued: number } };
}

/** An open `/events`. */
export interface Listening {
  /** The VMs of the `ready` line, by zonename. */
  readonly snapshot: ReadonlyMap<string, VmObject>;
  /** All events so far. */
  readonly events: readonly VmEvent[];
  /** The snapshot with all events so far replayed onto it. */
  replayed(): Map<string, VmObject>;
  /** The first event, past or to come, from index `from` on, that fits. */
  until(fits: (event: VmEvent) => boolean, from?: number): Promise<VmEvent>;
  /** Resolves when the daemon ends the stream. */
  readonly ended: Promise<void>;
  /** Whether it ended with the last chunk, not with a broken connection. */
  endedCleanly(): boolean;
  close(): void;
}

/** Starts a daemon for a test, which ends it. */
export async function startTestDaemon(t: Test, options: TestDaemonOptions = {}): Promise<TestDaemon> {
  const { vms = 3, prepare, booting = false, rescanIntervalMs = neverMs, syncTimeoutMs, watch } = options;
  const host = await createSimulatedHost({ vms });
  await prepare?.(host);
  const { log, records } = recordingLog();
  const requests = new Subject<Invalidation>();
  const daemon = await startDaemon({
    root: host.root,
    listen: '127.0.0.1',
    port: 0,
    rescanIntervalMs,
    log,
    requests,
    ...(syncTimeoutMs !== undefined && { syncTimeoutMs }),
    ...(watch !== undefined && { watch }),
  });
  const open = new Set<Listening>();
  let hasEnded = false;
  t.teardown(async () => {
    hasEnded = true;
    for (const listening of open) listening.close();
    await daemon.close();
    await daemon.ended;
    await eventually(() => host.syseventPids().length === 0, 'no child is left');
    await host.remove();
    if (existsSync(host.root)) throw new Error(`${host.root} is left behind`);
  });

  const test: TestDaemon = {
    host,
    daemon,
    log: records,
    requests,
    ...answersOf(daemon.url),
    listen: async () => {
      const listening = await listen(daemon.url);
      open.add(listening);
      return listening;
    },
    rescan: async () => {
      const done = () => records.filter(({ msg }) => String(msg).startsWith('rescan (test)')).length;
      const before = done();
      requests.next({ type: 'everything', reason: 'test' });
      await eventually(() => {
        if (hasEnded) throw new Error('the daemon has ended before the rescan');
        return done() > before;
      }, 'the rescan is over');
    },
  };
  if (!booting) await eventually(async () => (await test.get('/ping')).status === 200, 'the daemon is ready');
  return test;
}

/** What the daemon at an address answers. */
export function answersOf(url: string): Answers {
  return {
    get: (path) => get(url + path),
    vm: async (zonename) => {
      const answer = await get(`${url}/vms/${zonename}`);
      if (answer.status !== 200) throw new Error(`/vms/${zonename}: ${answer.status} ${answer.text}`);
      return answer.json as VmObject;
    },
    vms: async () => (await get(`${url}/vms`)).json as VmObject[],
    status: async () => (await get(`${url}/status?full=true`)).json as Status,
  };
}

/** Resolves when the condition holds. The test's own timeout is the only clock. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const slow = setTimeout(() => process.stderr.write(`# still waiting until ${what}\n`), 10_000).unref();
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
  clearTimeout(slow);
}

/** A request on a connection of its own. */
export function get(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpGet(url, { agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isJson = response.headers['content-type'] === 'application/json' && text !== '';
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: isJson ? (JSON.parse(text) as unknown) : undefined,
        });
      });
    }).on('error', reject);
  });
}

/** Opens `/events`; resolves when `ready` is there. */
export async function listen(url: string): Promise<Listening> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpGet(`${url}/events`, { agent: false }, resolve).on('error', reject);
  });
  const events: VmEvent[] = [];
  const arrivals = new Subject<void>();
  const lines = createInterface({ input: response });
  const ended = new Promise<void>((resolve) => response.once('close', resolve));
  response.on('error', () => undefined);
  const snapshot = await new Promise<Map<string, VmObject>>((resolve) => {
    lines.once('line', (line) => {
      const ready = JSON.parse(line) as { vms: string };
      const vms = JSON.parse(ready.vms) as VmObject[];
      resolve(new Map(vms.map((vm) => [vm.zonename, vm])));
      lines.on('line', (next) => {
        events.push(JSON.parse(next) as VmEvent);
        arrivals.next();
      });
    });
  });
  return {
    snapshot,
    events,
    ended,
    endedCleanly: () => response.complete,
    replayed: () => {
      const vms = new Map(snapshot);
      for (const event of events) {
        if (event.type === 'delete') vms.delete(event.zonename);
        else vms.set(event.zonename, event.vm);
      }
      return vms;
    },
    until: (fits, from = 0) =>
      new Promise((resolve) => {
        const look = () => {
          const found = events.slice(from).find(fits);
          if (found === undefined) return;
          subscription.unsubscribe();
          resolve(found);
        };
        const subscription = arrivals.subscribe(look);
        look();
      }),
    close: () => {
      response.destroy();
    },
  };
}

function recordingLog(): { log: Logger; records: Record<string, unknown>[] } {
  const records: Record<string, unknown>[] = [];
  const write = (line: string) => records.push(JSON.parse(line) as Record<string, unknown>);
  return { log: pino({ level: 'debug' }, { write }), records };
}
