/**
 * vminfod-sim's commands for trouble: fault, drop-events, burst.
 */
import { Argument, Option, type Command } from 'commander';
import type { Fault } from '../faults.js';
import type { Channel, SimulatedCommand } from '../paths.js';
import { createRandom } from '../random.js';
import { SimulatorError } from '../simulator-error.js';
import { historyLine } from '../sysevents.js';
import { openHost } from './context.js';
import { parseCount } from './values.js';

interface FaultOptions {
  readonly match?: string;
  readonly full?: true;
  readonly delay?: number;
  readonly hang?: true;
  readonly exit?: number;
  readonly stderr?: string;
  readonly stdout?: string;
  readonly edit?: string;
  readonly truncate?: number;
  readonly ready: boolean;
  readonly missing?: true;
}

/** Adds them. */
export function addFaultCommands(program: Command): void {
  program
    .command('fault')
    .description('break a command from its next start on; "fault clear" repairs all')
    .addArgument(new Argument('<command>').choices(['zoneadm', 'zfs', 'sysevent', 'kstat', 'clear']))
    .option('--match <text>', 'only when its arguments contain this')
    .option('--full', 'only when it lists everything')
    .option('--delay <ms>', 'wait first', parseCount)
    .option('--hang', 'do nothing, for ever')
    .option('--exit <code>', 'end with this code', parseCount)
    .option('--stderr <line>', 'print this on stderr')
    .option('--stdout <line>', 'print this on stdout first')
    .option('--edit <script>', 'pass its output through this sed(1) script')
    .option('--truncate <bytes>', 'end after this many bytes', parseCount)
    .option('--no-ready', 'sysevent: never say ready')
    .option('--missing', 'the executable is not there')
    .action(async (command: SimulatedCommand | 'clear', options: FaultOptions) => {
      const host = await openHost(program);
      if (command === 'clear') host.clearFaults();
      else host.setFault(command, toFault(options));
    });

  program
    .command('drop-events')
    .description('make the kernel drop all events (on), or stop dropping them (off)')
    .addArgument(new Argument('<switch>').choices(['on', 'off']))
    .addOption(new Option('--channel <channel>', 'only this channel').choices(['zones', 'zfs']))
    .action(async (choice: string, { channel }: { channel?: Channel }) => {
      const host = await openHost(program);
      const drops = choice === 'on';
      host.dropEvents(channel === undefined ? { zones: drops, zfs: drops } : { [channel]: drops });
    });

  program
    .command('burst')
    .description('post many ZFS events at once that change nothing: quota changes, for each zone in turn')
    .option('--count <number>', 'how many', parseCount, 2000)
    .option('--foreign', 'of datasets that no VM has')
    .option('--seed <number>', 'determines the datasets of --foreign', parseCount, 1)
    .action(async ({ count, foreign, seed }: { count: number; foreign?: true; seed: number }) => {
      const host = await openHost(program);
      const random = createRandom(seed);
      const datasets =
        foreign === true
          ? Array.from({ length: 200 }, () => `zones/${random.uuid()}`)
          : host.zonenames().map((zonename) => host.zone(zonename).zonepath.slice(1));
      if (datasets.length === 0) throw new SimulatorError(host.root, 'there are no zones');
      const lines = Array.from({ length: count }, (_, index) => {
        const dataset = datasets[index % datasets.length] ?? '';
        return historyLine({ name: 'set', dataset, detail: 'quota=10737418240', dsid: 1, txg: 1 });
      });
      host.postEvents('zfs', lines);
    });
}

function toFault({ delay, exit, truncate, ready, ...same }: FaultOptions): Fault {
  return {
    ...same,
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(exit === undefined ? {} : { exitCode: exit }),
    ...(truncate === undefined ? {} : { truncateBytes: truncate }),
    ...(ready ? {} : { noReady: true }),
  };
}
