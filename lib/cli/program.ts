/**
 * vminfo's commands and options, defined once: `--help`, the completions and the test of the man page all come from
 * here. What a command does is loaded when it runs.
 */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { defaultListen, defaultPort } from '../config.js';
import type { EventsOptions } from './commands/events.js';
import type { StatusOptions } from './commands/status.js';
import { CommandError, type Context } from './context.js';

export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Runs a command with a client for `url`. */
  readonly run: (url: string, command: (context: Context) => Promise<void>) => Promise<void>;
}

const defaultUrl = `http://${defaultListen}:${defaultPort}`;

export function createProgram({ env, writeOut, writeErr, run }: Host): Command {
  const program = new Command('vminfo')
    .description('Ask vminfod about the virtual machines of this host.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help on a command')
    .option('--url <url>', `http://host:port or unix:/path (default: $VMINFOD_URL, else ${defaultUrl})`)
    .exitOverride()
    .configureOutput({ writeOut, writeErr });
  const start = (command: (context: Context) => Promise<void>) => {
    const { url } = program.opts<{ url?: string }>();
    return run(url ?? env['VMINFOD_URL'] ?? defaultUrl, command);
  };

  program
    .command('ping')
    .description('check that vminfod answers')
    .option('-j, --json', 'print JSON')
    .action((options: { json?: boolean }) =>
      start(async (context) => (await import('./commands/simple.js')).ping(context, options)),
    );

  program
    .command('status')
    .description('print how vminfod is')
    .option('-j, --json', 'print JSON')
    .option('-f, --full', 'add the refresh log and the watched files')
    .action((options: StatusOptions) =>
      start(async (context) => (await import('./commands/status.js')).status(context, options)),
    );

  program
    .command('vms')
    .description('print all VM objects as JSON')
    .option('-j, --json', 'print JSON (it always does)')
    .action(() => start(async (context) => (await import('./commands/simple.js')).vms(context)));

  const vm = program
    .command('vm')
    .description('print one VM object as JSON')
    .argument('[uuid]', 'zonename of the VM')
    .option('-j, --json', 'print JSON (it always does)')
    .action((uuid?: string) => {
      // The platform's vminfo ends with 1 here, not with the 2 of other wrong usage.
      if (uuid === undefined) throw new CommandError(vm.helpInformation().split('\n', 1)[0] ?? '');
      return start(async (context) => (await import('./commands/simple.js')).vm(context, uuid));
    });

  program
    .command('events')
    .description('print changes as they happen')
    .argument('[uuid]', 'only of this VM')
    .option('-j, --json', 'print JSON, an event a line')
    .option('-f, --full', 'print full dates and UUIDs')
    .option('-r, --ready', 'print the ready event too')
    .option('-t, --type <types>', 'only these types: create,modify,delete', splitTypes)
    .option('-1, --once', 'end with status 1 when vminfod goes away, instead of reconnecting')
    .action((uuid: string | undefined, options: EventsOptions) =>
      start(async (context) => (await import('./commands/events.js')).events(context, uuid, options)),
    );

  return program;
}

const eventTypes = ['create', 'modify', 'delete'];

function splitTypes(text: string): string[] {
  const types = text.split(',');
  const unknown = types.find((type) => !eventTypes.includes(type));
  if (unknown === undefined) return types;
  throw new InvalidArgumentError(`Expected some of ${eventTypes.join(',')}, got ${JSON.stringify(unknown)}.`);
}

function version(): string {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
