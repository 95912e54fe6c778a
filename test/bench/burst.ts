/**
 * burst: quotas of many VMs change at the same moment: time until the last final value is at a listener, processes started,
 * events emitted. And how many changes a second the daemon keeps up with, and what one costs it.
 */
import { performance } from 'node:perf_hooks';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { quotaSet, tagChange, type Change } from './changes.js';
import { startDaemonProcess } from './daemon-process.js';
import { openEventStream, type EventStream } from './event-stream.js';
import type { Measurement } from './measurement.js';
import { figure, single, type Figure } from './report.js';
import { median } from './statistics.js';

const rounds = 3;
const reloads = 5;
/** Changes under way at a time in the steady load. */
const underWay = 100;
const steadyEvents = 6_000;

export const measureBurst: Measurement = async ({ host }) => {
  const daemon = await startDaemonProcess(host.root);
  const stream = await openEventStream(daemon.url);
  const vms = await daemon.vms();
  try {
    const reloadMs: number[] = [];
    for (let round = 0; round <= reloads; round++) {
      const tookMs = await daemon.rescan();
      if (round > 0) reloadMs.push(tookMs);
    }
    const small: BurstResult[] = [];
    const large: BurstResult[] = [];
    for (let round = 0; round <= rounds; round++) {
      const results = [
        await burst(host, stream, vms.slice(0, 50), 200),
        await burst(host, stream, vms, 1000),
      ];
      if (round === 0) continue; // warm-up
      if (results[0]) small.push(results[0]);
      if (results[1]) large.push(results[1]);
    }
    const largeMs = median(large.map(({ tookMs }) => tookMs));
    await steady(host, stream, vms, steadyEvents / 4); // warm-up
    await daemon.usage();
    const perSecond = await steady(host, stream, vms, steadyEvents);
    const { cpuMs } = await daemon.usage();
    return [
      ...figuresOf('200 changes of 50 VMs', small),
      ...figuresOf('1000 changes of all VMs', large, { atMost: 10 }),
      figure('beside: one full reload', 'ms', reloadMs),
      single('1000 changes of all VMs, times a full reload', '×', largeMs / median(reloadMs), { atMost: 2 }),
      single('sustained', 'events/s', perSecond, { atLeast: 2_000 }),
      single('CPU of an event', 'ms', cpuMs / steadyEvents),
    ];
  } finally {
    stream.close();
    await daemon.stop();
  }
};

interface BurstResult {
  readonly tookMs: number;
  readonly processes: number;
  readonly events: number;
}

async function burst(
  host: SimulatedHost,
  stream: EventStream,
  vms: readonly VmObject[],
  count: number,
): Promise<BurstResult> {
  const last = new Map<string, Omit<Change, 'make'>>();
  const lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const vm = vms[index % vms.length];
    if (vm === undefined) throw new Error('no VMs');
    const { lines: posted, ...change } = await quotaSet(host, vm);
    lines.push(...posted);
    last.set(vm.zonename, change);
  }
  host.resetInvocations();
  const eventsBefore = stream.count;
  const settled = new Promise<number>((resolve) => {
    const stop = stream.each((event, at) => {
      if (last.get(event.zonename)?.fits(event) === true) last.delete(event.zonename);
      if (last.size > 0) return;
      stop();
      resolve(at);
    });
  });
  const at = performance.now();
  host.postEvents('zfs', lines);
  const tookMs = (await settled) - at;
  const commands = ['zfs', 'zoneadm', 'kstat'] as const;
  const processes = commands.reduce((sum, command) => sum + host.invocations(command).length, 0);
  return { tookMs, processes, events: stream.count - eventsBefore };
}

function figuresOf(what: string, results: readonly BurstResult[], reach?: Figure['reach']): Figure[] {
  return [
    figure(
      `${what}: until the last is visible`,
      'ms',
      results.map(({ tookMs }) => tookMs),
    ),
    single(`${what}: processes started`, '', median(results.map(({ processes }) => processes)), reach),
    single(`${what}: events`, '', median(results.map(({ events }) => events))),
  ];
}

/** Tags change as fast as their events come, so many of them at a time. Resolves to events per second. */
export async function steady(
  host: SimulatedHost,
  stream: EventStream,
  vms: readonly VmObject[],
  count: number,
): Promise<number> {
  const waiting = new Map<string, Change>();
  const idle = [...vms];
  let made = 0;
  let seen = 0;
  const makeNext = () => {
    const vm = made === count ? undefined : idle.shift();
    if (vm === undefined) return;
    made++;
    const change = tagChange(host, vm);
    waiting.set(vm.zonename, change);
    change.make();
  };
  const startedAt = performance.now();
  await new Promise<void>((resolve) => {
    const stop = stream.each((event) => {
      if (waiting.get(event.zonename)?.fits(event) !== true) return;
      waiting.delete(event.zonename);
      if ('vm' in event) idle.push(event.vm);
      seen++;
      makeNext();
      if (seen < count) return;
      stop();
      resolve();
    });
    for (let index = 0; index < Math.min(underWay, vms.length); index++) makeNext();
  });
  return (count / (performance.now() - startedAt)) * 1000;
}
