/** A host for the storm: a simulated one with its daemon and its publisher as processes that can be ended. */
import { join } from 'node:path';
import type { HostId } from '../../lib/fleet/names.js';
import { createSimulatedHost, type SimulatedHost } from '../../lib/simulator/index.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { startVminfod, type VminfodProcess } from '../chaos/vminfod-process.js';
import { answersOf, eventually } from '../daemon/harness.js';
import { datacenter } from './harness.js';
import { PublisherProcess } from './publisher-process.js';

/** A test, or anything else that ends what it began. */
export interface Scope {
  teardown(cleanup: () => unknown): void;
}

export interface StormHostOptions {
  readonly number: number;
  readonly vms: number;
  /** Where NATS is. */
  readonly servers: string;
}

export class StormHost {
  readonly simulated: SimulatedHost;
  readonly host: HostId;
  readonly publisher: PublisherProcess;
  /** What `harness.ts` compares with. */
  readonly daemon: { readonly vms: () => Promise<VmObject[]> };
  #process: VminfodProcess;

  private constructor(
    simulated: SimulatedHost,
    process: VminfodProcess,
    { number, servers }: StormHostOptions,
  ) {
    this.simulated = simulated;
    this.#process = process;
    this.host = { datacenter, server: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` };
    this.daemon = { vms: () => answersOf(this.#process.url).vms() };
    this.publisher = new PublisherProcess([
      ...['--servers', servers, '--url', `unix:${socketOf(simulated)}`, '--root', simulated.root],
      ...['--server-uuid', this.host.server, '--datacenter', datacenter, '--hostname', `host-${number}`],
    ]);
  }

  /** Starts one, for a test, which ends it. */
  static async start(t: Scope, options: StormHostOptions): Promise<StormHost> {
    const simulated = await createSimulatedHost({ vms: options.vms, seed: options.number + 1 });
    t.teardown(() => simulated.remove());
    const host = new StormHost(simulated, await startOn(simulated), options);
    t.teardown(async () => {
      await host.publisher.end();
      await host.#process.stop(5_000);
    });
    return host;
  }

  /** Where its daemon serves. */
  get url(): string {
    return this.#process.url;
  }

  async restartDaemon(): Promise<void> {
    await this.#process.stop(5_000);
    this.#process = await startOn(this.simulated);
  }

  /** Resolves when the daemon has read everything that was there at the call. */
  async settle(): Promise<void> {
    const { pid, url } = this.#process;
    const answers = answersOf(url);
    const rescans = async () =>
      (await answers.status()).refreshLog?.filter(({ reason }) => reason === 'SIGHUP').length ?? 0;
    await eventually(async () => (await answers.get('/ping')).status === 200, 'the daemon is ready');
    const before = await rescans();
    process.kill(pid, 'SIGHUP');
    await eventually(async () => (await rescans()) > before, 'the rescan is over');
  }
}

function startOn(simulated: SimulatedHost): Promise<VminfodProcess> {
  return startVminfod(simulated.root, ['--socket', socketOf(simulated)]);
}

function socketOf({ root }: SimulatedHost): string {
  return join(root, 'vminfod.sock');
}
