/**
 * What only a test does to a host: lose events, send too many, break commands; and a record of what was run.
 */
import { writeFileSync } from 'node:fs';
import { clearFaults, setFault, type Fault } from './faults.js';
import { removeFile } from './files.js';
import { invocations, resetInvocations } from './invocations.js';
import type { Operator } from './operator.js';
import type { Channel, SimulatedCommand } from './paths.js';
import { postRaw, runningSysevents } from './sysevents.js';

/** See the module's head. All take effect at once. */
export interface FaultOperations {
  /** Makes the kernel drop everything posted on a channel (true), or stop dropping (false). */
  dropEvents(channels: Readonly<Partial<Record<Channel, boolean>>>): void;
  /** Posts lines as they are, valid or not, in one write; zoneStatusLine and historyLine make valid ones. */
  postEvents(channel: Channel, rawLines: readonly string[]): void;
  /** The process ids of the running `sysevent` commands, of one channel or both. */
  syseventPids(channel?: Channel): number[];
  /** Adds a fault to a command, from its next invocation on. */
  setFault(command: SimulatedCommand, fault: Fault): void;
  /** Removes all faults, or those of one command. */
  clearFaults(command?: SimulatedCommand): void;
  /** The arguments of each invocation of a command since the last reset. */
  invocations(command: SimulatedCommand): string[][];
  /** Forgets the invocations of all commands. */
  resetInvocations(): void;
}

/** The {@link FaultOperations} of an operator. */
export function faultOperations({ paths }: Operator): FaultOperations {
  return {
    dropEvents: (channels) => {
      for (const [channel, drops] of Object.entries(channels) as [Channel, boolean | undefined][]) {
        if (drops === true) writeFileSync(paths.dropped(channel), '');
        if (drops === false) removeFile(paths.dropped(channel));
      }
    },
    postEvents: (channel, rawLines) => {
      postRaw(paths, channel, rawLines);
    },
    syseventPids: (channel) => runningSysevents(paths, channel),
    setFault: (command, fault) => {
      setFault(paths, command, fault);
    },
    clearFaults: (command) => {
      clearFaults(paths, command);
    },
    invocations: (command) => invocations(paths, command),
    resetInvocations: () => {
      resetInvocations(paths);
    },
  };
}
