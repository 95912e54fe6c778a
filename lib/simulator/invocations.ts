/**
 * A record of what was run: every simulated command appends its arguments to a log (commands/begin.sh).
 */
import { writeFileSync } from 'node:fs';
import { readIfExists } from './files.js';
import { commandPaths, type Paths, type SimulatedCommand } from './paths.js';

/** The arguments of each invocation of a command since the last reset, in the order in which they began. */
export function invocations(paths: Paths, command: SimulatedCommand): string[][] {
  const records = (readIfExists(paths.invocations(command)) ?? '').split('\x1f\n\x1f');
  // A record without arguments has no separator before its newline; none of our commands is useful without any.
  return records.slice(0, -1).map((record) => record.split('\x1f'));
}

/** Empties the logs of all commands. */
export function resetInvocations(paths: Paths): void {
  for (const command of Object.keys(commandPaths) as SimulatedCommand[]) {
    writeFileSync(paths.invocations(command), '');
  }
}
