/**
 * vminfod-sim zfs: the command line of zfs(8), exit codes included.
 */
import type { Command } from 'commander';
import { execa } from 'execa';
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
      const { exitCode } = await execa(host.path('/usr/sbin/zfs'), argv, { stdio: 'inherit', reject: false });
      process.exitCode = exitCode ?? 1;
    });
}
