/**
 * Running the commands of a simulated host, as the daemon does.
 */
import { createInterface } from 'node:readline';
import { on, once } from 'node:events';
import { spawn } from 'node:child_process';
import { execa } from 'execa';
import type { SimulatedCommand, SimulatedHost } from '../../lib/simulator/index.js';

/** Where the commands are. */
const paths: Readonly<Record<SimulatedCommand, string>> = {
  zoneadm: '/usr/sbin/zoneadm',
  zfs: '/usr/sbin/zfs',
  sysevent: '/usr/sbin/sysevent',
  kstat: '/usr/bin/kstat',
};

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | undefined;
}

/** Runs a command to its end. */
export async function run(host: SimulatedHost, command: SimulatedCommand, ...args: string[]): Promise<Run> {
  const { stdout, stderr, exitCode } = await execa(host.path(paths[command]), args, {
    reject: false,
    stripFinalNewline: false,
  });
  return { stdout, stderr, exitCode };
}

/** What `zfs list -H -p -o <fields> …` prints, as rows. */
export async function list(host: SimulatedHost, fields: string, ...args: string[]): Promise<string[][]> {
  const { stdout } = await run(host, 'zfs', 'list', '-H', '-p', '-t', 'all', '-o', fields, ...args);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}

/** A running sysevent: its lines, and its end. */
export interface Sysevents {
  /** The next line of stdout, parsed. */
  next(): Promise<Record<string, unknown>>;
  /** Kills it, and waits until it and its pipes are closed. */
  kill(): Promise<void>;
}

/** Starts a sysevent for one channel. */
export function listen(host: SimulatedHost, ...args: string[]): Sysevents {
  const child = spawn(host.path(paths.sysevent), args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const closed = once(child, 'close');
  const lines = on(createInterface(child.stdout), 'line') as AsyncIterableIterator<[string]>;
  return {
    next: async () => {
      const { value } = (await lines.next()) as IteratorYieldResult<[string]>;
      return JSON.parse(value[0]) as Record<string, unknown>;
    },
    kill: async () => {
      child.kill();
      await closed;
    },
  };
}
