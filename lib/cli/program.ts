/**
 * vminfo's commands and options, defined once: `--help`, the completions and the test of the man page all come from here.
 * A command's implementation is loaded when it runs.
 */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { checkTimeoutMs, defaultWaitSeconds } from '../config.js';
import { append } from '../option-values.js';
import { version } from '../version.js';
import type { EventsFlags } from './commands/events.js';
import type { JsonOption } from './commands/fresh.js';
import type { StatusOptions } from './commands/status.js';
import type { HistoryOptions } from './commands/history.js';
import type { ListOptions, LookupOptions } from './commands/list.js';
import type { TopOptions } from './commands/top.js';
import type { WaitFlags } from './commands/wait.js';
import type { VmEvent } from '../vm/event.js';
import { CliError, exit, type Context } from './context.js';
import { addFleetCommands } from './fleet-program.js';
import { parseSince, type Since } from './since.js';
import { defaultUrl, targetOf, type Target, type TargetOptions } from './target.js';
import { columnNames } from './top/column-names.js';

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  /** Runs a command with a client for the host, or for the fleet. */
  readonly run: (target: Target, command: (context: Context) => Promise<number>) => Promise<void>;
}

export function createProgram({ env, writeOut, writeErr, run }: ProgramOptions): Command {
  const program = new Command('vminfo')
    .description('Ask vminfod about the virtual machines of this host.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help on a command')
    .option('--url <url>', `http://host:port or unix:/path (default: $VMINFOD_URL, else ${defaultUrl})`)
    .option(
      '--timeout <seconds>',
      'how long vminfod may take to answer; 0: for ever (default: 30; ping, doctor: 5)',
      seconds,
    )
    .option('-F, --fleet <where>', 'nats://host:port, or a file of settings (default: $VMINFO_FLEET)')
    .exitOverride()
    .configureOutput({ writeOut, writeErr });
  const where = (defaultTimeoutMs?: number) => targetOf(env, program.opts<TargetOptions>(), defaultTimeoutMs);
  /** Runs on this host, whether or not there is a fleet. */
  const start = (command: (context: Context) => Promise<number>, defaultTimeoutMs?: number) =>
    run({ ...where(defaultTimeoutMs), fleet: undefined }, command);
  /** Runs on the fleet if one is named. */
  const startAnywhere = (command: (context: Context) => Promise<number>) => run(where(), command);

  const command = (name: string, description: string) =>
    program
      .command(name)
      .description(description)
      .option('-j, --json', 'print JSON')
      .helpOption('-h, --help', 'print help');

  command('ping', 'check that vminfod answers').action((options: JsonOption) =>
    start(async (context) => (await import('./commands/ping.js')).ping(context, options), checkTimeoutMs),
  );

  command('status', 'print the health of vminfod')
    .option('-f, --full', "the platform's layout, with the refresh log and the watched files")
    .action((options: StatusOptions) =>
      start(async (context) => (await import('./commands/status.js')).status(context, options)),
    );

  command('vms', 'print all VM objects as JSON').action(() =>
    startAnywhere(async (context) => (await import('./commands/vms.js')).vms(context)),
  );

  const vm = command('vm', 'print one VM object as JSON')
    .argument('[vm]', 'its UUID, the beginning of it, or its alias')
    .action((uuid?: string) => {
      // The platform's vminfo ends with 1 here, not with the 2 of other wrong usage.
      if (uuid === undefined) throw new CliError(vm.helpInformation().split('\n', 1)[0] ?? '');
      return startAnywhere(async (context) => (await import('./commands/vms.js')).vm(context, uuid));
    });

  command('events', 'print changes as they happen')
    .argument(
      '[vm-or-filter...]',
      'only for this VM, or for those that match: state=running, alias~^web, ram>=2g',
    )
    .option('-f, --full', 'print full dates and UUIDs')
    .option('-v, --verbose', 'print also what only follows from other changes')
    .option('--classic', "print the platform's lines")
    .option('-r, --ready', 'print the ready event too')
    .option('-t, --type <types>', 'only these types: create,modify,delete', eventTypes)
    .option('--path <fields>', 'of modifications, only those that touch these fields')
    .option('--since <when>', 'begin with what happened since: 90s, 30m, 2h, 1d; or <instance>:<seq>', since)
    .option('--show-secrets', 'print passwords, keys and internal metadata as they are')
    .option('--summary', 'at the end, say how much happened')
    .option('-1, --once', 'end with status 1 when vminfod goes away, instead of reconnecting')
    .action((args: string[], options: EventsFlags) =>
      startAnywhere(async (context) => (await import('./commands/events.js')).events(context, args, options)),
    );

  command('history', 'print recent changes, as far back as vminfod still has them')
    .argument('[vm]', 'only for this one: its UUID, the beginning of it, or its alias')
    .option('-f, --full', 'print full UUIDs')
    .option(
      '-n, --number <n>',
      'how many events, the latest ones (default: 100; with --since: all)',
      wholeNumber,
    )
    .option('--since <when>', 'only what happened since: 90s, 30m, 2h, 1d; or <instance>:<seq>', since)
    .option('-t, --type <types>', 'only these types: create,modify,delete', eventTypes)
    .option('-p, --path <fields>', 'only changes of these fields', fieldList)
    .option('-v, --verbose', 'print also what only follows from other changes')
    .option('--show-secrets', 'print passwords, keys and internal metadata as they are')
    .action((name: string | undefined, options: HistoryOptions) =>
      startAnywhere(async (context) =>
        (await import('./commands/history.js')).history(context, name, options),
      ),
    );

  command('list', 'list VMs as a table, as vmadm(8) does')
    .argument('[vm-or-filter...]', 'these VMs; or state=running, alias~^web, ram>=2g, …: all must match')
    .option('-p, --parsable', 'print values separated by colons, without header')
    .option('-H, --no-header', 'print no header')
    .addOption(
      new Option('-w, --watch', 'keep the table up to date, in place').conflicts(['json', 'parsable']),
    )
    .option(
      '-o, --output <fields>',
      'the columns (default: uuid,type,ram,state,alias); or json, yaml, wide',
      fieldList,
    )
    .option(
      '-s, --sort <fields>',
      'sort by these, each with - before it for descending (default: ram,uuid)',
      fieldList,
    )
    .action((filters: string[], options: ListOptions) =>
      startAnywhere(async (context) => (await import('./commands/list.js')).list(context, filters, options)),
    );

  program
    .command('top')
    .description('watch the VMs and their changes, full-screen')
    .argument('[filter...]', 'state=running, alias~^web, ram>=2g, …, or words; all must match')
    .option('-1, --once', 'print one frame and end')
    .addOption(new Option('-s, --sort <column>', 'sort by this column').choices(columnNames))
    .option('-r, --reverse', 'in descending order')
    .helpOption('-h, --help', 'print help')
    .action((filters: string[], options: TopOptions) =>
      startAnywhere(async (context) => (await import('./commands/top.js')).top(context, filters, options)),
    );

  const lookup = command('lookup', 'print the UUIDs of the VMs that match, as vmadm(8) does')
    .argument('[vm-or-filter...]', 'these VMs; or state=running, alias~^web, ram>=2g, …: all must match')
    .option('-1, --unique', 'fail unless exactly one VM matches')
    .option('-o, --output <fields>', 'with -j: only these fields', fieldList)
    .action((filters: string[], options: LookupOptions) => {
      if (options.output && !options.json)
        lookup.error("error: option '-o, --output <fields>' needs '-j, --json'");
      return startAnywhere(async (context) =>
        (await import('./commands/list.js')).lookup(context, filters, options),
      );
    });

  command('get', 'print one VM object as JSON, as vmadm(8) does')
    .argument('<vm>', 'its UUID, the beginning of it, or its alias')
    .action((uuid: string) =>
      startAnywhere(async (context) => (await import('./commands/vms.js')).vm(context, uuid)),
    );

  command('wait', 'wait until VMs match, now or later')
    .argument('[vm-or-condition...]', 'the VMs, and what they must be: web1 web2 state=running')
    .option('--deleted', 'wait until they are gone; the same as state=deleted')
    .option('--filter <condition>', 'choose the VMs by this instead; may be repeated', append, [])
    .option('--all', 'wait for all of them (default)')
    .option('--any', 'wait for one of them')
    .option(
      '-t, --timeout <seconds>',
      `give up with status 1 after this long; 0: never (default: ${defaultWaitSeconds})`,
      seconds,
    )
    .action((args: string[], options: Partial<WaitFlags>) =>
      startAnywhere(async (context) => {
        // Commander gives `--timeout` to the program, wherever it stands; `-t` belongs to this command.
        const timeout = options.timeout ?? program.opts<Partial<WaitFlags>>().timeout ?? defaultWaitSeconds;
        return (await import('./commands/wait.js')).wait(context, args, { ...options, timeout });
      }),
    );

  command('diff', 'compare the cached VM with one read afresh; status 1 if they differ')
    .argument('<vm>', 'its UUID, the beginning of it, or its alias')
    .action((uuid: string, options: JsonOption) =>
      start(async (context) => (await import('./commands/fresh.js')).differences(context, uuid, options)),
    );

  command('sync', 'have a VM, or all, read afresh')
    .argument('[vm]', 'its UUID, the beginning of it, or its alias')
    .action((uuid: string | undefined, options: JsonOption) =>
      start(async (context) => (await import('./commands/fresh.js')).sync(context, uuid, options)),
    );

  command('doctor', 'say whether vminfod is well, and if not, why and what to do').action(
    (options: JsonOption) =>
      start(
        async (context) => (await import('./commands/doctor.js')).doctor(context, options),
        checkTimeoutMs,
      ),
  );

  addFleetCommands(program, { where: () => where().fleet, start, startAnywhere });

  program
    .command('completion')
    .description('print the completion script of a shell, to be sourced')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .helpOption('-h, --help', 'print help')
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      writeOut((await import('./completion.js')).completions[shell](program));
    });

  return program;
}

/** The exit status after requested help or wrong usage, both already printed. Any other error is rethrown. */
export function usageStatus(error: unknown): number {
  if (!(error instanceof CommanderError)) throw error;
  return error.exitCode === 0 ? exit.ok : exit.usage;
}

function fieldList(text: string): string[] {
  return text.split(',');
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= maxSeconds) return value;
  throw new InvalidArgumentError(`Expected a number of seconds, at most ${maxSeconds}.`);
}

function since(text: string): Since {
  const parsed = parseSince(text);
  if (parsed) return parsed;
  throw new InvalidArgumentError('Expected an age (90s, 30m, 2h, 1d) or <instance>:<seq>.');
}

/** The longest time that a timer can run: 24 days. */
const maxSeconds = 2_147_483;

function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number.');
}

function eventTypes(text: string): VmEvent['type'][] {
  const types = text.split(',');
  if (types.every((type) => type === 'create' || type === 'modify' || type === 'delete')) return types;
  throw new InvalidArgumentError('Expected some of create,modify,delete.');
}
