/** `vminfo fleet …`: the commands about the fleet itself. */
import { Option, InvalidArgumentError, type Command } from 'commander';
import { defaultListen, fleet as limits } from '../config.js';
import { append, parsePort } from '../option-values.js';
import type { ServeOptions } from './commands/serve.js';
import { CliError, type Context } from './context.js';

type Start = (command: (context: Context) => Promise<number>) => Promise<void>;

export interface FleetProgramOptions {
  /** What `--fleet` or `$VMINFO_FLEET` says. */
  readonly where: () => string | undefined;
  readonly start: Start;
  /** With the fleet's client. */
  readonly startAnywhere: Start;
}

export function addFleetCommands(
  program: Command,
  { where, start, startAnywhere }: FleetProgramOptions,
): void {
  const fleet = program
    .command('fleet')
    .description('the fleet: every host’s VMs in NATS; vminfo-fleet(8)')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false);
  const asked = () => {
    const text = where();
    if (text === undefined)
      throw new CliError('vminfo: where is the fleet? --fleet nats://host:port, or $VMINFO_FLEET');
    return text;
  };

  fleet
    .command('init')
    .description('create the streams, or apply these settings to them')
    .addOption(
      new Option('--replicas <n>', 'servers of a cluster that keep a copy (default: as it is, or 1)').choices(
        ['1', '3', '5'],
      ),
    )
    .option('--max-bytes <size>', 'size of the stream of VMs: 512m, 4g (default: as it is, or 1g)', bytes)
    .helpOption('-h, --help', 'print help')
    .action(async (options: { replicas?: string; maxBytes?: number }) => {
      const fleetAt = asked();
      await start(async (context) => (await import('./commands/fleet.js')).init(context, fleetAt, options));
    });

  const simple = (name: string, description: string) =>
    fleet.command(name).description(description).helpOption('-h, --help', 'print help');

  simple('hosts', 'list the hosts and the health of each')
    .option('-j, --json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const fleetAt = asked();
      await start(async (context) => (await import('./commands/fleet.js')).hosts(context, fleetAt, options));
    });

  simple('doctor', 'say whether the fleet is well, and if not, why and what to do').action(async () => {
    const fleetAt = asked();
    await start(async (context) => (await import('./commands/fleet.js')).doctor(context, fleetAt));
  });

  simple('forget', 'remove a host that is gone for good, and its VMs')
    .argument('<host>', 'its server UUID')
    .action(async (server: string) => {
      const fleetAt = asked();
      await start(async (context) => (await import('./commands/fleet.js')).forget(context, fleetAt, server));
    });

  simple('serve', 'serve the whole fleet over HTTP, as vminfod serves its host')
    .option('--listen <address>', 'address to listen on', defaultListen)
    .option('--port <port>', 'port to listen on; 0 picks a free one', parsePort, limits.gatewayPort)
    .option('--socket <path>', 'a Unix socket to listen on as well')
    .option('--allow-host <name>', 'another name for requests to use; may be repeated', append, [])
    .option('--no-page', 'serve no page for browsers')
    .action(async (options: ServeOptions) => {
      asked();
      await startAnywhere(async (context) => (await import('./commands/serve.js')).serve(context, options));
    });

  simple('gc', 'remove the leftover markers of VMs that have been gone for a week').action(async () => {
    const fleetAt = asked();
    await start(async (context) => (await import('./commands/fleet.js')).gc(context, fleetAt));
  });
}

const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

function bytes(text: string): number {
  const [, number, unit = ''] = /^(\d+)([kmgt]?)$/i.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Expected a size such as 512m or 4g.');
  return Number(number) * (units[unit.toLowerCase()] ?? 1);
}
