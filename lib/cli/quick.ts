/**
 * The commands that scripts run in loops, as scripts write them: with no option but `--url`, on one host. They need no
 * argument parser, and loading Commander takes as long as running one. Everything else, help included, is left to main.ts.
 */
import { checkTimeoutMs } from '../config.js';
import { ping } from './commands/ping.js';
import { listTable, vm, vms } from './commands/vms.js';
import type { Context, Surroundings } from './context.js';
import { exitStatus, withClient } from './exit-status.js';
import { hostClient, targetOf } from './target.js';

/** Runs such a command, to its exit status; everything it opened is closed. `undefined`: it is none, nothing is done. */
export function quick(surroundings: Surroundings): Promise<number> | undefined {
  const { argv, env } = surroundings;
  const [url, args] = argv[0] === '--url' ? [argv[1], argv.slice(2)] : [undefined, argv];
  const command = commandOf(args);
  if (command === undefined) return undefined;
  const isPing = command === ping;
  const target = targetOf(env, url === undefined ? {} : { url }, isPing ? checkTimeoutMs : undefined);
  if (target.fleet !== undefined && !isPing) return undefined;
  return exitStatus(surroundings, async (output) =>
    withClient(hostClient(target, output.signal), { ...output, isFleet: false }, command),
  );
}

type Command = (context: Context) => Promise<number>;

const alone: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['ping', ping],
  ['vms', vms],
  ['list', listTable],
]);

function commandOf([command = '', name, ...others]: readonly string[]): Command | undefined {
  if (name === undefined) return alone.get(command);
  const isNamed = (command === 'get' || command === 'vm') && others.length === 0 && !name.startsWith('-');
  return isNamed ? (context) => vm(context, name) : undefined;
}
