/**
 * start: from the start of the daemon's process to the first answered `/ping`, and what that time is made of; and vminfo's
 * commands as whole processes. Beside both, in the same rounds, the least that any program takes: `node -e 0`.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileOf, startDaemonProcess, vminfod } from './daemon-process.js';
import type { Measurement } from './measurement.js';
import { figure, single, type Figure } from './report.js';
import type { StartParts } from './start-parts.js';
import { median } from './statistics.js';

const rounds = 7;

/** Another build can be measured by the same means: VMINFOD_BENCH_VMINFO is then its vminfo.cjs. */
const vminfo = process.env['VMINFOD_BENCH_VMINFO'] ?? fileOf('../../sbin/vminfo.cjs');

/** How many times `node -e 0` a start may take on a host of so many VMs. */
const startReach: Readonly<Record<number, number>> = { 50: 3.5, 200: 5, 1000: 13 };

/** How many times `node -e 0` a command of vminfo may take; `list` of 200 VMs. */
const commandReach: Readonly<Record<string, (vms: number) => number | undefined>> = {
  ping: () => 1.25,
  list: (vms) => (vms === 200 ? 1.8 : undefined),
};

export const measureStart: Measurement = async ({ host, vms }) => {
  const [zonename = ''] = host.zonenames();
  const commands = { ping: ['ping'], list: ['list'], vms: ['vms'], get: ['get', zonename] };
  const times = new Map<string, number[]>();
  const note = (what: string, ms: number) => times.set(what, [...(times.get(what) ?? []), ms]);
  const of = (what: string) => times.get(what) ?? [];

  for (let round = 0; round <= rounds; round++) {
    if (round === 1) times.clear(); // The first warms the caches of files.
    note('node', await timeOf(['-e', '0']));
    // The request is refused, which happens only once everything is loaded.
    note('imports', await timeOf([vminfod, '--root', '/nowhere', '--port', '0'], 1));
    const daemon = await startDaemonProcess(host.root, { isBare: true });
    note('start', daemon.startMs);
    note('cpu', daemon.startCpuMs);
    // What the daemon does at leisure after its first load is over by the end of these.
    for (const args of [commands.list, commands.vms]) await timeOf([vminfo, '--url', daemon.url, ...args]);
    for (const [command, args] of Object.entries(commands)) {
      note(command, await timeOf([vminfo, '--url', daemon.url, ...args]));
    }
    await daemon.stop();
    for (const [part, ms] of Object.entries(await partsOf(host.root))) note(part, ms);
  }

  const node = median(of('node'));
  const timesNode = (name: string, what: string, atMost?: number): Figure =>
    single(
      `${name}, times node -e 0`,
      '×',
      median(of(what)) / node,
      atMost === undefined ? undefined : { atMost },
    );
  return [
    figure('beside: node -e 0', 'ms', of('node')),
    figure('process start to first /ping', 'ms', of('start')),
    timesNode('process start to first /ping', 'start', startReach[vms]),
    figure('CPU of that', 'ms', of('cpu')),
    single('CPU, times its time', '×', median(of('cpu')) / median(of('start')), { atMost: 1.3 }),
    figure(
      'of it: imports, above node -e 0',
      'ms',
      of('imports').map((ms) => ms - node),
      { atMost: 120 },
    ),
    figure('alone: commands, and their listings parsed', 'ms', of('commands')),
    figure('alone: files read', 'ms', of('reading')),
    figure('alone: files parsed', 'ms', of('parsing')),
    figure('alone: VMs assembled', 'ms', of('assembling')),
    ...Object.keys(commands).flatMap((command) => [
      figure(`vminfo ${command}, whole process`, 'ms', of(command)),
      timesNode(`vminfo ${command}`, command, commandReach[command]?.(vms)),
    ]),
  ];
};

async function timeOf(args: readonly string[], status = 0): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', status === 0 ? 'inherit' : 'ignore'],
  });
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== status) throw new Error(`node ${args.join(' ')} exited with ${code}`);
  return performance.now() - startedAt;
}

async function partsOf(root: string): Promise<StartParts> {
  const child = fork(fileOf('./start-parts.js'), [root]);
  const gone = once(child, 'exit');
  const [parts] = (await once(child, 'message')) as [StartParts];
  await gone;
  return parts;
}
