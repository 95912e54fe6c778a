/**
 * vminfod-sim zfs: the command line of zfs(8), exit codes included.
 */
import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import { SimulatorError } from '../simulator-error.js';
import { zfsSubcommands } from '../zfs-commands.js';
import { openHost } from './context.js';

/** Adds it. */
export function addZfsCommand(program: Command): void {
  program
    .command('zfs')
    .description(`run zfs: list, ${zfsSubcommands.join(', ')}`)
    .argument('<args...>')
    .passThroughOptions()
    .allowUnknownOption()
    .action(async (argv: string[]) => {
      const host = await openHost(program);
      if (argv[0] !== 'list') {
        await host.zfs(...argv);
        return;
      }
      const { status, error } = spawnSync(host.path('/usr/sbin/zfs'), argv, { stdio: 'inherit' });
      if (error !== undefined) throw new SimulatorError('zfs', error.message); // e.g. taken away by a fault
      process.exitCode = status ?? 1;
    });
}
