/**
 * A vminfod that is told to stop while a sync waits for a hanging command: it ends, with everything that it started, and
 * starts again. It is not the daemon under test, whose listeners stay.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { get } from '../daemon/harness.js';
import { descendantsOf, isRunning } from '../processes.js';
import { holdsWithin } from './client.js';
import type { FaultKinds, FaultKit } from './fault-kit.js';
import { startVminfod, type VminfodProcess } from './vminfod-process.js';

/** vminfod(8) says a second or two; other work shares the machine. SMF would kill it after 30. */
const stopMs = 10_000;
/** While other faults last a first load has to be tried again, up to the longest backoff. */
const readyMs = 60_000;
/** How long SMF takes to start it again, or less. */
const restartMs = 100;
/** By then a sync has started its zfs, unless something else is wrong with it. */
const hangsMs = 2_000;

/** See the module's head. */
export function stopFaults({ host, breakCommand, onProblem, zonename }: FaultKit): FaultKinds {
  /** Without zoneadm, which another fault may have taken away, it ends at once; SMF would start it again. */
  const startedBy = async (deadline: number): Promise<VminfodProcess> => {
    try {
      return await startVminfod(host.root);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await wait(restartMs);
      return startedBy(deadline);
    }
  };
  const started = async (): Promise<VminfodProcess> => {
    const vminfod = await startedBy(performance.now() + readyMs);
    const ready = await holdsWithin(readyMs, async () => (await get(`${vminfod.url}/ping`)).status === 200);
    if (!ready) onProblem(`vminfod was not ready within ${readyMs / 1000} s`);
    return vminfod;
  };
  const stopped = async (vminfod: VminfodProcess, when: string): Promise<void> => {
    const children = await descendantsOf(vminfod.pid);
    if (!(await vminfod.stop(stopMs)))
      onProblem(`SIGTERM ${when}: vminfod did not end with 0 within ${stopMs / 1000} s`);
    const left = () => children.filter(({ pid }) => isRunning(pid));
    if (!(await holdsWithin(stopMs, () => left().length === 0)))
      onProblem(
        `SIGTERM ${when}: left behind: ${left()
          .map(({ args }) => args)
          .join(' | ')}`,
      );
  };
  return {
    'SIGTERM during a sync': async () => {
      const zone = zonename();
      const vminfod = await started();
      const mend = breakCommand('zfs', { match: zone, hang: true });
      const answered = get(`${vminfod.url}/vms/${zone}?sync=true`).catch(() => undefined); // cut off
      const hangs = async () =>
        (await descendantsOf(vminfod.pid)).some(({ args }) => args.startsWith('sleep '));
      await holdsWithin(hangsMs, hangs);
      await stopped(vminfod, 'during a sync');
      await answered;
      await mend();
      await stopped(await started(), 'after it was started again');
      return undefined;
    },
  };
}
