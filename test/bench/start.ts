/** start: from the start of the process to the first answered `/ping`, beside the least that any start must do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileOf, startDaemonProcess } from './daemon-process.js';
import type { Measurement } from './measurement.js';
import { figure, single } from './report.js';
import { median } from './statistics.js';

const rounds = 7;

export const measureStart: Measurement = async ({ host }) => {
  const starts: number[] = [];
  const passes: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const daemon = await startDaemonProcess(host.root);
    await daemon.stop();
    const pass = await timeOf(process.execPath, [fileOf('./read-once.js'), host.root]);
    if (round === 0) continue; // It warms the caches of files.
    starts.push(daemon.startMs);
    passes.push(pass);
  }
  return [
    figure('process start to first /ping', 'ms', starts),
    figure('beside: one pass over all inputs', 'ms', passes),
    single('times the pass', '×', median(starts) / median(passes), { atMost: 1.5 }),
  ];
};

async function timeOf(command: string, args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const [code] = (await once(spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit')) as [
    number,
  ];
  if (code !== 0) throw new Error(`${args[0]} exited with ${code}`);
  return performance.now() - startedAt;
}
