/**
 * What the faults of the chaos test are made with: how a command, a source or a file is broken, and mended again.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Channel, Fault, Random, SimulatedCommand, SimulatedHost } from '../../lib/simulator/index.js';
import { killHanging, signal } from '../processes.js';
import type { Trail } from './trail.js';

/** Ends a fault. */
export type Undo = () => void | Promise<void>;

/** Makes a fault. `undefined`: it is over at once, or there was nothing to break. */
export type Inject = () => Promise<Undo | undefined> | Undo | undefined;

/** Faults by kind. */
export type FaultKinds = Readonly<Record<string, Inject>>;

export interface FaultsOptions {
  readonly host: SimulatedHost;
  readonly random: Random;
  readonly trail: Trail;
  /** Called for a zone that may be deleted and created again from now on. */
  readonly onVanished: (zonename: string) => void;
  /** Called with findings. */
  readonly onProblem: (problem: string) => void;
}

/** See the module's head. */
export interface FaultKit extends FaultsOptions {
  /** Breaks a command until undone. */
  readonly breakCommand: (command: SimulatedCommand, fault: Fault) => Undo;
  /** Breaks the sysevents that start from now on, and lets one start. */
  readonly breakSysevents: (fault: Fault) => Undo;
  readonly killSysevents: (channel?: Channel) => void;
  /** Writes any text into a file, if it is there. */
  readonly corrupt: (path: string, text: string) => Undo | undefined;
  /** A zone picked at random. */
  readonly zonename: () => string;
}

export const channels: readonly Channel[] = ['zones', 'zfs'];

/** The kit of one host. */
export function createFaultKit(options: FaultsOptions): FaultKit {
  const { host, random, trail } = options;
  const broken = new Map<SimulatedCommand, Set<Fault>>();

  const renew = (command: SimulatedCommand) => {
    host.clearFaults(command);
    for (const fault of broken.get(command) ?? []) host.setFault(command, fault);
  };
  const breakCommand = (command: SimulatedCommand, fault: Fault): Undo => {
    const faults = broken.get(command) ?? new Set();
    broken.set(command, faults.add(fault));
    renew(command);
    return async () => {
      faults.delete(fault);
      renew(command);
      // What hangs by then would do so for ever.
      if (fault.hang === true || fault.noReady === true) await killHanging();
    };
  };
  const killSysevents = (channel?: Channel) => {
    for (const pid of host.syseventPids(channel)) signal(pid, 'SIGKILL');
  };

  return {
    ...options,
    breakCommand,
    killSysevents,
    breakSysevents: (fault) => {
      const undo = breakCommand('sysevent', fault);
      killSysevents(random.pick([...channels, undefined]));
      return undo;
    },
    corrupt: (path, text) => {
      if (!existsSync(path) || statSync(path).isDirectory()) return undefined;
      trail.note(`  breaks ${path}`);
      const restore = host.corrupt(path, text);
      return () => {
        // Written since then, and so already repaired.
        if (existsSync(path) && readFileSync(path, 'utf8') === text) restore();
      };
    },
    zonename: () => random.pick(host.zonenames()),
  };
}
