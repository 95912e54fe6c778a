/**
 * rescan: CPU time and how long the event loop is held by a full rescan that finds nothing, and by making a `ready`. Beside
 * it the event loop of the idle daemon on the same machine.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { request } from 'undici';
import { startDaemonProcess } from './daemon-process.js';
import type { Measurement } from './measurement.js';
import { figure } from './report.js';

const rounds = 9;
const idleMs = 500;

export const measureRescan: Measurement = async ({ host, vms }) => {
  const daemon = await startDaemonProcess(host.root);
  const large = vms >= 1000;
  try {
    await daemon.usage();
    const cold = await readReady(daemon.url);
    const ready = await daemon.usage();
    const took: number[] = [];
    const cpu: number[] = [];
    const longest: number[] = [];
    const p99: number[] = [];
    const idleLongest: number[] = [];
    const array: number[] = [];
    for (let round = 0; round < rounds + 2; round++) {
      await daemon.usage();
      const tookMs = await daemon.rescan();
      const rescan = await daemon.usage();
      await wait(idleMs);
      const idle = await daemon.usage();
      await readReady(daemon.url);
      const again = await daemon.usage();
      if (round < 2) continue; // warm-up
      took.push(tookMs);
      // With what follows: directories are looked at, and garbage is collected.
      cpu.push(rescan.cpuMs + idle.cpuMs);
      longest.push(rescan.longestMs);
      p99.push(rescan.p99Ms);
      idleLongest.push(idle.longestMs);
      array.push(again.longestMs);
    }
    const held = large ? { atMost: 15 } : undefined;
    return [
      figure('a rescan that finds nothing', 'ms', took),
      figure(
        'CPU of a rescan, and of the half second after it',
        'ms',
        cpu,
        large ? { atMost: 250 } : undefined,
      ),
      figure('event loop held, longest, in a rescan', 'ms', longest, held),
      figure('event loop held, p99, in a rescan', 'ms', p99),
      figure('event loop held, longest, by the first ready', 'ms', [ready.longestMs], held),
      figure('event loop held, longest, by a ready', 'ms', array, held),
      figure('beside: event loop held, longest, idle', 'ms', idleLongest),
      figure('bytes of a ready', 'MB', [cold / 2 ** 20]),
    ];
  } finally {
    await daemon.stop();
  }
};

/** Reads the first line of a stream; resolves to its length. */
async function readReady(url: string): Promise<number> {
  const { body } = await request(`${url}/events`);
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (chunk.includes(10)) break;
  }
  return bytes;
}
