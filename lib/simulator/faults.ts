/**
 * Faults of the simulated commands, as files that they check when they start, so that a test can change them while a
 * daemon runs. Without a fault the check costs one stat.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './files.js';
import { commandPaths, type Paths, type SimulatedCommand } from './paths.js';

/**
 * A fault of a command from its next invocation on, and its conditions. If a command has several faults, the first one
 * set that matches applies, with all its effects, in this order: `delayMs`, `hang`, `noReady`, `stderr`, `stdout`,
 * `exitCode`, `edit` or `truncateBytes`.
 */
export interface Fault {
  /** Only when the arguments, joined by blanks, contain this. */
  readonly match?: string;
  /** Only when the command lists everything: `zfs list` without a dataset, `zoneadm list` without a zone. */
  readonly full?: boolean;
  /** Waits this long before it does anything. */
  readonly delayMs?: number;
  /** Does nothing for ever. Killing the command leaves no child. */
  readonly hang?: boolean;
  /** sysevent: never says `ready`, nor anything else. */
  readonly noReady?: boolean;
  /** Prints this line on stderr (sysevent: after `ready`), and goes on. */
  readonly stderr?: string;
  /** Prints this line on stdout before its output (sysevent: after `ready`). */
  readonly stdout?: string;
  /** Ends with this code instead of doing its work (sysevent: after `ready`, or before it with `noReady`). */
  readonly exitCode?: number;
  /** Passes its stdout through this sed(1) script, to corrupt a line. Not for sysevent. */
  readonly edit?: string;
  /** Ends with 0 after this many bytes of stdout. */
  readonly truncateBytes?: number;
  /** The executable is missing; nothing else applies then. */
  readonly missing?: boolean;
}

/** Adds a fault. */
export function setFault(paths: Paths, command: SimulatedCommand, fault: Fault): void {
  if (fault.missing === true) {
    if (existsSync(paths.command(command))) renameSync(paths.command(command), paths.missing(command));
    return;
  }
  const directory = paths.faults(command);
  mkdirSync(directory, { recursive: true });
  const position = readdirSync(directory).length;
  replaceFile(join(directory, String(position).padStart(4, '0')), toShell(fault));
}

/** Removes all faults, or those of one command. */
export function clearFaults(paths: Paths, command?: SimulatedCommand): void {
  const commands = command === undefined ? (Object.keys(commandPaths) as SimulatedCommand[]) : [command];
  for (const each of commands) {
    rmSync(paths.faults(each), { recursive: true, force: true });
    if (existsSync(paths.missing(each))) renameSync(paths.missing(each), paths.command(each));
  }
}

/** The assignments that commands/faults.sh reads. */
function toShell(fault: Fault): string {
  const assignments: readonly (readonly [string, string | number | undefined])[] = [
    ['match', fault.match],
    ['only_full', fault.full === true ? 'yes' : undefined],
    ['delay_s', fault.delayMs === undefined ? undefined : fault.delayMs / 1000],
    ['hang', fault.hang === true ? 'yes' : undefined],
    ['no_ready', fault.noReady === true ? 'yes' : undefined],
    ['to_stderr', fault.stderr],
    ['to_stdout', fault.stdout],
    ['status', fault.exitCode],
    ['edit', fault.edit],
    ['truncate_bytes', fault.truncateBytes],
  ];
  return assignments
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}='${String(value).replaceAll("'", `'\\''`)}'\n`)
    .join('');
}
