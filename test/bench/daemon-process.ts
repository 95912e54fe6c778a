/**
 * The daemon in a process of its own, as an operator runs it, with a log in a file as SMF keeps one (a pipe that
 * we read too late would hold the daemon up).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import type { VmObject } from '../../lib/vm/vm-object.js';
import type { ProbeRequest, Usage } from './probe.js';

/** How often we look whether something has come about, ms. Mostly at a file: each request costs the daemon half a millisecond. */
const lookEveryMs = 5;

export interface DaemonProcess {
  readonly url: string;
  readonly port: number;
  /** From its start to the first answered `/ping`, ms. */
  readonly startMs: number;
  /** CPU time of all its threads until then, not of its children, ms. */
  readonly startCpuMs: number;
  vms(): Promise<VmObject[]>;
  /** What it used since this was last asked. */
  usage(): Promise<Usage>;
  /** The same, when it has collected its garbage. */
  collect(): Promise<Usage>;
  /** Has everything read afresh; resolves with how long that took, ms. */
  rescan(): Promise<number>;
  /** Asks for a rescan; does not wait for it. */
  beginRescan(): void;
  /** How many rescans of that kind are over. */
  rescans(): number;
  memory(): Memory;
  /** From now on `memory().peakMb` is that from now on. */
  resetPeak(): void;
  stop(): Promise<void>;
}

/** As the kernel counts it, MB. */
export interface Memory {
  readonly rssMb: number;
  readonly peakMb: number;
}

/**
 * Starts a daemon; resolves when it answers. A bare one is as users run it, without a probe, whose ES module takes some
 * milliseconds and five megabytes: then the probe's figures are not available.
 */
export async function startDaemonProcess(root: string, { isBare = false } = {}): Promise<DaemonProcess> {
  const directory = mkdtempSync(join(tmpdir(), 'vminfod-bench-'));
  const logFile = join(directory, 'log');
  const output = openSync(logFile, 'w');
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...profiling(),
      ...(isBare ? [] : ['--import', fileOf('./probe.js')]),
      ...[vminfod, '--root', root, '--port', '0'],
    ],
    { stdio: ['ignore', output, 'inherit', ...(isBare ? [] : (['ipc'] as const))] },
  );
  closeSync(output);
  const log = () => readFileSync(logFile, 'utf8');
  const rescans = () => log().split('rescan (SIGHUP)').length - 1;

  let url: string | undefined;
  while ((url = /listening on (http:[^"\s]+)/.exec(log())?.[1]) === undefined) await next(child);
  // Asking it all the time would slow down what is measured.
  while (!log().includes('rescan (first load)')) await next(child);
  while ((await statusOf(`${url}/ping`)) !== 200) await next(child);
  const startMs = performance.now() - startedAt;
  const startCpuMs = cpuMsOf(child.pid ?? 0);
  const address = url;

  const probe = async (request: ProbeRequest) => {
    child.send(request);
    const [usage] = (await once(child, 'message')) as [Usage];
    return usage;
  };

  return {
    url: address,
    port: Number(new URL(address).port),
    startMs,
    startCpuMs,
    vms: async () => (await (await request(`${address}/vms`)).body.json()) as VmObject[],
    usage: () => probe('usage'),
    collect: () => probe('collect'),
    rescan: async () => {
      const before = rescans();
      const at = performance.now();
      child.kill('SIGHUP');
      while (rescans() === before) await next(child);
      return performance.now() - at;
    },
    beginRescan: () => {
      child.kill('SIGHUP');
    },
    rescans,
    memory: () => memoryOf(child.pid ?? 0),
    resetPeak: () => {
      writeFileSync(`/proc/${child.pid}/clear_refs`, '5');
    },
    stop: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      rmSync(directory, { recursive: true });
    },
  };
}

/** Another build can be measured by the same means: VMINFOD_BENCH_DAEMON is then the file that starts it. */
export const vminfod = process.env['VMINFOD_BENCH_DAEMON'] ?? fileOf('../../sbin/vminfod.cjs');

/** With the directory VMINFOD_BENCH_PROFILE every daemon leaves a CPU profile there, for Chromium's developer tools. */
function profiling(): readonly string[] {
  const directory = process.env['VMINFOD_BENCH_PROFILE'];
  return directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`];
}

/** The path of a module of this folder, compiled. */
export function fileOf(module: string): string {
  return fileURLToPath(new URL(module, import.meta.url));
}

async function next(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) throw new Error(`the daemon exited with ${child.exitCode}`);
  await wait(lookEveryMs);
}

async function statusOf(url: string): Promise<number> {
  const { statusCode, body } = await request(url);
  await body.dump();
  return statusCode;
}

function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { rssMb: mb('VmRSS'), peakMb: mb('VmHWM') };
}

/** As the kernel counts it, in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}
