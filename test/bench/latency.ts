/**
 * latency: from the moment a change is made to its line at a listener: idle, while other VMs change 100 times a second,
 * and during rescans whose full listings are slow. Beside it, in the same rounds, the one command that the change needs.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { openBareCommands, openBareSysevent, openBareWatch } from './bare.js';
import { changeKinds, prepare, type Change, type ChangeKind } from './changes.js';
import { startChurn } from './churning.js';
import { startDaemonProcess, type DaemonProcess } from './daemon-process.js';
import { openEventStream, type EventStream } from './event-stream.js';
import type { Measurement } from './measurement.js';
import { figure, single, type Figure } from './report.js';
import { median } from './statistics.js';

const rounds = 30;
const warmUpRounds = 5;
/** Between changes, so that each finds the daemon idle; spread, so that they keep no step with any timer. */
const gapMs = 10;
const slowListingMs = 2_500;
const changesPerSecond = 100;

type Phase = 'idle' | 'busy' | 'during rescans';

export const measureLatency: Measurement = async ({ host }) => {
  const daemon = await startDaemonProcess(host.root, { isBare: true });
  const stream = await openEventStream(daemon.url);
  const all = await daemon.vms();
  const vms = all.filter(({ state }) => state === 'running').slice(0, 10);
  const others = all.filter((vm) => !vms.includes(vm)).map(({ zonename }) => zonename);
  const context = { host, stream, vms };
  try {
    await measure({ ...context, rounds: warmUpRounds });
    const idle = await measure({ ...context, rounds });
    const stopChurn = await startChurn(host, others, changesPerSecond);
    const busy = await measure({ ...context, rounds });
    await stopChurn();
    const stopRescans = rescanOn(host, daemon);
    const rescanned = await measure({ ...context, rounds });
    await stopRescans();
    return [
      ...figuresOf('idle', idle),
      ...figuresOf('busy', busy),
      ...figuresOf('during rescans', rescanned, idle),
    ];
  } finally {
    stream.close();
    await daemon.stop();
  }
};

type Samples = Record<ChangeKind | 'zfs list' | 'zoneadm' | 'kstat' | 'sysevent' | 'fs.watch', number[]>;

async function measure({
  host,
  stream,
  vms,
  rounds: count,
}: {
  readonly host: SimulatedHost;
  readonly stream: EventStream;
  readonly vms: readonly VmObject[];
  readonly rounds: number;
}): Promise<Samples> {
  const samples: Samples = {
    ...{ alias: [], tag: [], quota: [], state: [] },
    ...{ 'zfs list': [], zoneadm: [], kstat: [], sysevent: [], 'fs.watch': [] },
  };
  const sysevent = await openBareSysevent(host);
  const bareWatch = openBareWatch('x'.repeat(3_000));
  const commands = openBareCommands(host);
  for (let round = 0; round < count; round++) {
    const vm = vms[round % vms.length];
    if (vm === undefined) throw new Error('no VM runs');
    for (const kind of changeKinds) {
      const change = await prepareUnseen(kind, host, vm, stream);
      const seen = stream.until((event) => change.fits(event));
      const at = performance.now();
      change.make();
      samples[kind].push((await seen) - at);
    }
    samples['zfs list'].push(await commands.zfsListMs(vm.zfs_filesystem ?? ''));
    samples.zoneadm.push(await commands.zoneadmMs(vm.zonename));
    samples.kstat.push(await commands.kstatMs(vm.zoneid ?? 1));
    samples.sysevent.push(await sysevent.transitMs());
    samples['fs.watch'].push(await bareWatch.noticeMs());
  }
  commands.close();
  bareWatch.close();
  await sysevent.close();
  return samples;
}

/** Prepares a change, and waits until the daemon is idle again, most likely. */
async function prepareUnseen(
  kind: ChangeKind,
  host: SimulatedHost,
  vm: VmObject,
  stream: EventStream,
): Promise<Change> {
  for (;;) {
    const change = await prepare(kind, host, vm, stream);
    await wait(gapMs * (1 + Math.random()));
    if (change.cameEarly?.() !== true) return change;
  }
}

function figuresOf(phase: Phase, samples: Samples, idle?: Samples): Figure[] {
  const of = (kind: ChangeKind, reach?: Figure['reach']) =>
    figure(`${kind}, ${phase}`, 'ms', samples[kind], reach);
  const above = (kind: ChangeKind, name: string, ...commands: readonly (keyof Samples)[]) => {
    const commandMs = Math.max(...commands.map((command) => median(samples[command])));
    return single(`${kind} above ${name}, ${phase}`, 'ms', median(samples[kind]) - commandMs, { atMost: 2 });
  };
  return [
    of('alias', { atMost: 2 }),
    of('tag', { atMost: 2 }),
    of('quota'),
    above('quota', 'its command', 'zfs list'),
    of('state'),
    above('state', 'its slower command', 'zoneadm', 'kstat'),
    ...(idle === undefined
      ? []
      : changeKinds.map((kind) =>
          single(`${kind}, times idle, ${phase}`, '×', median(samples[kind]) / median(idle[kind]), {
            atMost: 1.2,
          }),
        )),
    figure(`beside: zfs list of one dataset, ${phase}`, 'ms', samples['zfs list']),
    figure(`beside: zoneadm list of one zone, ${phase}`, 'ms', samples.zoneadm),
    figure(`beside: kstat of one zone, ${phase}`, 'ms', samples.kstat),
    figure(`beside: a sysevent posted to a bare reader, ${phase}`, 'ms', samples.sysevent),
    figure(`beside: a file replaced, a bare watch and read, ${phase}`, 'ms', samples['fs.watch']),
  ];
}

/** One rescan after the other, with slow listings of everything. Returns how to stop and wait for the last one. */
function rescanOn(host: SimulatedHost, daemon: DaemonProcess): () => Promise<void> {
  for (const command of ['zfs', 'zoneadm'] as const) {
    host.setFault(command, { full: true, delayMs: slowListingMs });
  }
  const stop = new AbortController();
  const over = (async () => {
    while (!stop.signal.aborted) await daemon.rescan();
  })();
  return async () => {
    stop.abort();
    await over;
    host.clearFaults();
  };
}
