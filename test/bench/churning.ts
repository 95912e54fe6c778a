/** Other VMs change at a steady rate while something is measured: by a process of its own (churn.ts). */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import { fileOf } from './daemon-process.js';

/** Resolves once the VMs change, to a function that stops this and resolves when the last change is made. */
export async function startChurn(
  host: SimulatedHost,
  zonenames: readonly string[],
  changesPerSecond: number,
): Promise<() => Promise<void>> {
  const child = fork(fileOf('./churn.js'), [host.root, String(changesPerSecond), ...zonenames.slice(0, 100)]);
  await once(child, 'message');
  return async () => {
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  };
}
