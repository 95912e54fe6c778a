/** A daemon in a process of its own, as an operator runs it: what holds up the test does not hold up the daemon. */
import type { Test } from 'tap';
import { createSimulatedHost, type SimulatedHost } from '../../lib/simulator/index.js';
import { startVminfod } from '../chaos/vminfod-process.js';
import { answersOf, eventually, listen, type SomeDaemon } from './harness.js';

export interface OwnProcessOptions {
  /** How many VMs the simulated host has. */
  readonly vms: number;
  /** Called with the host before the daemon starts, e.g. to break something. */
  readonly prepare?: (host: SimulatedHost) => unknown;
}

/** Starts a daemon for a test, which ends it. */
export async function startOwnProcess(t: Test, { vms, prepare }: OwnProcessOptions): Promise<SomeDaemon> {
  const host = await createSimulatedHost({ vms });
  t.teardown(() => host.remove());
  await prepare?.(host);
  const daemon = await startVminfod(host.root);
  const { url, pid } = daemon;
  const answers = answersOf(url);
  t.teardown(() => daemon.stop(5_000));
  await eventually(async () => (await answers.get('/ping')).status === 200, 'the daemon is ready');
  const rescans = async () =>
    (await answers.status()).refreshLog?.filter(({ reason }) => reason === 'SIGHUP').length ?? 0;
  return {
    ...answers,
    host,
    listen: async () => {
      const listening = await listen(url);
      t.teardown(() => {
        listening.close();
      });
      return listening;
    },
    rescan: async () => {
      const before = await rescans();
      process.kill(pid, 'SIGHUP');
      await eventually(async () => (await rescans()) > before, 'the rescan is over');
    },
  };
}
