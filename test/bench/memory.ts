/** memory: resident memory at start, after 10,000 events, with 1,000 listeners, and its peak in rescans; and for each VM. */
import { setTimeout as wait } from 'node:timers/promises';
import { createSimulatedHost } from '../../lib/simulator/index.js';
import { steady } from './burst.js';
import { startDaemonProcess } from './daemon-process.js';
import { openEventStream } from './event-stream.js';
import { openListeners } from './listeners.js';
import type { Measurement } from './measurement.js';
import { single } from './report.js';

const events = 10_000;
const listeners = 1_000;
const rescans = 3;
/** What the start left behind is collected by then. */
const settleMs = 1_000;

export const measureMemory: Measurement = async ({ host, vms: count }) => {
  const smallest = await memoryOfOneVm();
  const daemon = await startDaemonProcess(host.root, { isBare: true });
  try {
    await wait(settleMs);
    const atStart = daemon.memory();
    const stream = await openEventStream(daemon.url);
    const vms = await daemon.vms();
    await steady(host, stream, vms, events / 2);
    const half = daemon.memory();
    await steady(host, stream, vms, events / 2);
    const afterEvents = daemon.memory();
    stream.close();
    const many = await openListeners(daemon.port, listeners, true);
    await wait(settleMs);
    const withListeners = daemon.memory();
    many.close();
    await wait(settleMs);
    daemon.resetPeak();
    for (let round = 0; round < rescans; round++) await daemon.rescan();
    const { peakMb } = daemon.memory();
    const large = count >= 1000;
    return [
      single('at start', 'MB', atStart.rssMb, large ? { atMost: 110 } : undefined),
      single('for each VM, at start', 'kB', ((atStart.rssMb - smallest) / (count - 1)) * 1024),
      single('peak while starting', 'MB', atStart.peakMb, large ? { atMost: 140 } : undefined),
      single('after 5000 events', 'MB', half.rssMb),
      single('after 10000 events', 'MB', afterEvents.rssMb, large ? { atMost: 110 } : undefined),
      single('with 1000 listeners', 'MB', withListeners.rssMb),
      single('peak in rescans', 'MB', peakMb, large ? { atMost: 140 } : undefined),
    ];
  } finally {
    await daemon.stop();
  }
};

async function memoryOfOneVm(): Promise<number> {
  const host = await createSimulatedHost({ vms: 1 });
  const daemon = await startDaemonProcess(host.root, { isBare: true });
  await wait(settleMs);
  const { rssMb } = daemon.memory();
  await daemon.stop();
  await host.remove();
  return rssMb;
}
