/**
 * `npm run soak`: the daemon under a steady load for as long as asked: VMs change, come and go, listeners too, rescans run.
 * The load pauses between rounds; what the daemon then holds, at rest, must show no trend, or the exit code is 1.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { Command } from 'commander';
import { createSimulatedHost, type SimulatedHost } from '../../lib/simulator/index.js';
import { startChurn } from './churning.js';
import { startDaemonProcess, type DaemonProcess } from './daemon-process.js';
import { openEventStream } from './event-stream.js';
import { openListeners } from './listeners.js';
import { machine } from './report.js';
import type { Usage } from './probe.js';
import { lineThrough, median } from './statistics.js';

const changesPerSecond = 100;
const roundMs = 12_000;
/** Listeners that come at a time, and for how long they stay. */
const listeners = 50;
const listenersStayMs = 500;
/** Changes at the same time, each in a listing of its own: a listing that is slow no longer makes others wait. */
const changesAtOnce = 12;
const slowChangeEveryMs = 150;
/** Until the code is compiled, the event log full and the allocator's pools have their size. */
const warmUpMinutes = 3;
/** Looks at the memory in each pause. */
const looks = 4;
/**
 * More than this, and by more than the noise, is a trend. Fifteen minutes tell it of what is used to a few tenths; resident
 * memory moves by megabytes from round to round, and takes hours.
 */
const maxMbPerHour = 1;
/** Handles and descriptors over the whole run: less than one. */
const maxHandles = 0.5;

const { minutes, vms } = new Command('npm run soak --')
  .description(
    `A steady load on a daemon; fails when memory or handles show a trend. Warms up for ${warmUpMinutes} minutes.`,
  )
  .option('--minutes <n>', 'how long it is looked at', '15')
  .option('--vms <n>', 'how many VMs the host has', '200')
  .allowExcessArguments(false)
  .parse()
  .opts<{ readonly minutes: string; readonly vms: string }>();

/** What the daemon holds when it is at rest, and how the round before was. */
interface Sample {
  readonly minute: number;
  readonly rssMb: number;
  readonly usedMb: number;
  readonly handles: number;
  readonly descriptors: number;
  readonly events: number;
  readonly cpuMs: number;
  /** How long the event loop was held, the longest and p99, ms. */
  readonly longestMs: number;
  readonly p99Ms: number;
}

const columns: readonly (readonly [title: string, text: (sample: Sample) => string])[] = [
  ['minute', ({ minute }) => minute.toFixed(1)],
  ['RSS MB', ({ rssMb }) => rssMb.toFixed(2)],
  ['used MB', ({ usedMb }) => usedMb.toFixed(2)],
  ['handles', ({ handles }) => String(handles)],
  ['descriptors', ({ descriptors }) => String(descriptors)],
  ['events', ({ events }) => String(events)],
  ['CPU ms/event', ({ cpuMs, events }) => (cpuMs / events).toFixed(2)],
  ['held ms', ({ longestMs }) => longestMs.toFixed(1)],
  ['p99', ({ p99Ms }) => p99Ms.toFixed(1)],
];

const host = await createSimulatedHost({ vms: Number(vms) });
const daemon = await startDaemonProcess(host.root);
try {
  const head = Object.entries(machine()).map(([key, value]) => `${key}: ${value}`);
  process.stdout.write(`${head.join(' · ')} · VMs: ${vms}\n${row(([title]) => title)}\n`);
  await fillPools(host);
  const startedAt = performance.now();
  const minuteNow = () => (performance.now() - startedAt) / 60_000 - warmUpMinutes;
  const samples: Sample[] = [];
  while (minuteNow() < Number(minutes)) {
    const sample = await round(host, daemon, minuteNow);
    samples.push(sample);
    process.stdout.write(`${row(([, text]) => text(sample))}\n`);
  }
  process.exitCode = report(samples.filter(({ minute }) => minute >= 0)) ? 0 : 1;
} finally {
  await daemon.stop();
  await host.remove();
}

/** Load for a while, then a look at rest. */
async function round(host: SimulatedHost, daemon: DaemonProcess, minuteNow: () => number): Promise<Sample> {
  await daemon.usage();
  const stream = await openEventStream(daemon.url);
  const stopChurn = await startChurn(host, host.zonenames(), changesPerSecond);
  try {
    await Promise.all([daemon.rescan(), comeAndGo(host, daemon, performance.now() + roundMs)]);
  } finally {
    await stopChurn();
    stream.close();
  }
  const { cpuMs, longestMs, p99Ms } = await daemon.usage();
  const { rssMb, usedMb, handles, descriptors } = await atRest(daemon);
  const events = stream.count;
  return { minute: minuteNow(), rssMb, usedMb, handles, descriptors, events, cpuMs, longestMs, p99Ms };
}

/** VMs and listeners, until then. */
async function comeAndGo(host: SimulatedHost, daemon: DaemonProcess, until: number): Promise<void> {
  while (performance.now() < until) {
    const created = await host.createZone({ alias: 'comes-and-goes' });
    const many = await openListeners(daemon.port, listeners, true);
    await wait(listenersStayMs);
    many.close();
    await host.destroyZone(created);
  }
}

/** Has the daemon run as many commands at a time as it ever does, so that it has all the shells that it keeps. */
async function fillPools(host: SimulatedHost): Promise<void> {
  host.setFault('zfs', { delayMs: 2 * changesAtOnce * slowChangeEveryMs });
  for (const zonename of host.zonenames().slice(0, changesAtOnce)) {
    await host.zfs('set', 'quota=99g', host.zone(zonename).zonepath.slice(1));
    await wait(slowChangeEveryMs);
  }
  host.clearFaults('zfs');
}

/**
 * Waits until the load's connections and children are gone, that is, until the number of handles is stable, and collects
 * garbage. The lowest of several readings of resident memory counts: the heap returns pages with a delay.
 */
async function atRest(daemon: DaemonProcess): Promise<Usage & { readonly rssMb: number }> {
  let before = await daemon.usage();
  for (let same = 0; same < 5;) {
    await wait(200);
    const now = await daemon.usage();
    same = now.handles === before.handles && now.descriptors === before.descriptors ? same + 1 : 0;
    before = now;
  }
  let rssMb = Infinity;
  let usage = before;
  for (let look = 0; look < looks; look++) {
    usage = await daemon.collect();
    await wait(200);
    rssMb = Math.min(rssMb, daemon.memory().rssMb);
  }
  return { ...usage, rssMb };
}

/** A line of the table. */
function row(cell: (column: (typeof columns)[number]) => string): string {
  return columns.map((column) => cell(column).padStart(column[0].length + 2)).join('');
}

/** Prints what became of memory, handles and delay. False if there is a trend. */
function report(samples: readonly Sample[]): boolean {
  const line = (value: (sample: Sample) => number, unit: number) => {
    const { slope, standardError } = lineThrough(
      samples.map((sample) => ({ x: sample.minute, y: value(sample) })),
    );
    return { trend: slope * unit, give: 2 * standardError * unit };
  };
  const inAll = (samples.at(-1)?.minute ?? 0) - (samples[0]?.minute ?? 0);
  const trends = [
    { what: 'RSS', unit: 'MB/h', ...line(({ rssMb }) => rssMb, 60), atMost: maxMbPerHour },
    { what: 'used', unit: 'MB/h', ...line(({ usedMb }) => usedMb, 60), atMost: maxMbPerHour },
    { what: 'handles', unit: 'in all', ...line(({ handles }) => handles, inAll), atMost: maxHandles },
    { what: 'descriptors', unit: 'in all', ...line((each) => each.descriptors, inAll), atMost: maxHandles },
  ].map((each) => ({ ...each, isTrend: each.trend - each.give > each.atMost }));
  for (const { what, unit, trend, give, isTrend } of trends) {
    process.stdout.write(
      `${what}: ${trend.toFixed(2)} ± ${give.toFixed(2)} ${unit} (linear fit, two standard errors)${isTrend ? ': A TREND' : ''}\n`,
    );
  }
  const held = samples.map(({ longestMs }) => longestMs);
  process.stdout.write(
    `event loop held: ${median(held).toFixed(1)} ms in the median round, ${Math.max(...held).toFixed(1)} ms at most\n`,
  );
  return samples.length > 1 && !trends.some(({ isTrend }) => isTrend);
}
