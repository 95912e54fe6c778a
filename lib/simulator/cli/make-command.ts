/**
 * vminfod-sim make: a new simulated global zone, to keep or for as long as the command runs.
 */
import type { Command } from 'commander';
import { fromEvent, interval, lastValueFrom, merge, type Observable, takeUntil } from 'rxjs';
import { createSimulatedHost } from '../host.js';
import { lifelike } from '../lifelike.js';
import type { Print } from './context.js';
import { parseCount } from './values.js';

interface MakeOptions {
  readonly vms: number;
  readonly seed: number;
  readonly oddName?: boolean;
  readonly activity?: number;
}

/** Adds it. */
export function addMakeCommand(program: Command, print: Print): void {
  program
    .command('make')
    .description(
      'make a simulated global zone and print its root; without DIR, keep it until Ctrl-C, then remove it',
    )
    .argument('[dir]', 'an empty or missing directory')
    .option('--vms <number>', 'how many VMs', parseCount, 12)
    .option('--seed <number>', 'seed that determines everything about them', parseCount, 1)
    .option('--odd-name', 'give one VM a zonename that is not its UUID')
    .option('--activity <ms>', 'without DIR: do something lifelike every so many milliseconds', parseCount)
    .action(async (root: string | undefined, { vms, seed, oddName = false, activity }: MakeOptions) => {
      const host = await createSimulatedHost({ vms, seed, oddName, ...(root === undefined ? {} : { root }) });
      try {
        print(host.root);
        if (root !== undefined) return;
        const stopped = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM'));
        // Neither a listener for a signal nor NEVER keeps a process running; a timer does.
        const activities: Observable<unknown> =
          activity === undefined ? interval(2 ** 30) : lifelike(host, { seed, intervalMs: activity });
        await lastValueFrom(activities.pipe(takeUntil(stopped)), { defaultValue: undefined });
      } finally {
        if (root === undefined) await host.remove();
      }
    });
}
