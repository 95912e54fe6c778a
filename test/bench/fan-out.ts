/**
 * fan-out: one event to many listeners: from the change to the last of them, from the first to the last, and CPU for each.
 * Beside it a bare TCP server that writes as many bytes to as many connections.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { startBareServer } from './bare.js';
import { tagChange } from './changes.js';
import { startDaemonProcess } from './daemon-process.js';
import { openListeners } from './listeners.js';
import type { Measurement } from './measurement.js';
import { figure, single, type Figure } from './report.js';

const rounds = 30;
const gapMs = 20;

export const measureFanOut: Measurement = async ({ host }) => {
  const daemon = await startDaemonProcess(host.root);
  const bare = await startBareServer();
  const figures: Figure[] = [];
  const [vm] = await daemon.vms();
  if (vm === undefined) throw new Error('no VMs');
  /** An event's line is about as long as its VM. */
  const eventBytes = JSON.stringify(vm).length;
  let aloneMs = 0;
  try {
    for (const count of [1, 100, 1000]) {
      const ours = await openListeners(daemon.port, count, true);
      const theirs = await openListeners(bare.tcpPort, count, false);
      const toLast: number[] = [];
      const spread: number[] = [];
      const bareSpread: number[] = [];
      await wait(gapMs);
      for (let round = 0; round < rounds + 1; round++) {
        if (round === 1) await daemon.usage();
        const change = tagChange(host, vm);
        await wait(gapMs);
        const all = ours.next();
        const at = performance.now();
        change.make();
        const { firstAt, lastAt } = await all;
        const bareAll = theirs.next();
        bare.broadcast(eventBytes);
        const bareTimes = await bareAll;
        if (round === 0) continue; // warm-up
        toLast.push(lastAt - at);
        spread.push(lastAt - firstAt);
        bareSpread.push(bareTimes.lastAt - bareTimes.firstAt);
      }
      const cpuMs = (await daemon.usage()).cpuMs / rounds;
      if (count === 1) aloneMs = cpuMs;
      ours.close();
      theirs.close();
      const name = `${count} listener${count === 1 ? '' : 's'}`;
      figures.push(figure(`${name}: change to the last`, 'ms', toLast));
      if (count === 1) continue;
      figures.push(
        figure(`${name}: first to last`, 'ms', spread, count === 1000 ? { atMost: 15 } : undefined),
        figure(`beside: bare TCP server, ${name}: first to last`, 'ms', bareSpread),
        single(`${name}: CPU for each`, 'µs', ((cpuMs - aloneMs) / (count - 1)) * 1000),
      );
    }
  } finally {
    await bare.stop();
    await daemon.stop();
  }
  return figures;
};
