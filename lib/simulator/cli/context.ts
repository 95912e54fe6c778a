/**
 * Shared by the commands of vminfod-sim: the tree named by --root, and the output.
 */
import type { Command } from 'commander';
import { openSimulatedHost, type SimulatedHost } from '../host.js';
import type { Value } from './values.js';
import { parseEntries } from './values.js';

/** Options of a subcommand, as commander gives them. */
export type Options = Readonly<Record<string, unknown>>;

/** The host named by the command line; ends the process with a usage error when there is none. */
export async function openHost(program: Command): Promise<SimulatedHost> {
  const { root } = program.opts<{ root?: string }>();
  if (root !== undefined) return openSimulatedHost(root);
  return program.error('error: which simulated global zone? Say --root DIR or set VMINFOD_SIM_ROOT.');
}

/** Prints a line. */
export type Print = (line: string) => void;

/** Adds a subcommand that works on one zone. */
export function onZone(
  program: Command,
  name: string,
  description: string,
  work: (host: SimulatedHost, zonename: string, options: Options) => Promise<void>,
): Command {
  return program
    .command(name)
    .description(description)
    .argument('<zone>')
    .action(async (zone: string, options: Options) => {
      const host = await openHost(program);
      await work(host, host.findZone(zone).zonename, options);
    });
}

/** Adds a subcommand that sets keys of one zone. */
export function onZoneEntries(
  program: Command,
  name: string,
  description: string,
  work: (
    host: SimulatedHost,
    zonename: string,
    entries: Readonly<Record<string, Value>>,
    options: Options,
  ) => Promise<void>,
): Command {
  return program
    .command(name)
    .description(description)
    .argument('<zone>')
    .argument('<key=value...>', 'an empty value removes the key')
    .action(async (zone: string, texts: string[], options: Options) => {
      const host = await openHost(program);
      await work(host, host.findZone(zone).zonename, parseEntries(texts), options);
    });
}
