/**
 * The command line of vminfod-sim: all its commands, and its help.
 */
import { Command, Option } from 'commander';
import { addFaultCommands } from './fault-commands.js';
import { addFileCommands } from './file-commands.js';
import type { Print } from './context.js';
import { addMakeCommand } from './make-command.js';
import { addZfsCommand } from './zfs-command.js';
import { addZoneCommands } from './zone-commands.js';

/** Parses and runs with `parseAsync`; rejects with a SimulatorError, a ZfsError or an InvalidArgumentError. */
export function simulatorProgram(env: NodeJS.ProcessEnv, print: Print): Command {
  const program = new Command('vminfod-sim')
    .description('A simulated SmartOS global zone: make one, and operate on it.')
    .option(
      '--root <dir>',
      'the simulated global zone to work on (or VMINFOD_SIM_ROOT)',
      env['VMINFOD_SIM_ROOT'],
    )
    .enablePositionalOptions()
    .showHelpAfterError('(vminfod-sim --help says more)')
    .addHelpText('after', examples);
  addMakeCommand(program, print);
  addZoneCommands(program, print);
  addFileCommands(program);
  addZfsCommand(program);
  addFaultCommands(program);
  // --root is accepted before and after the command's name; but everything after `zfs` belongs to zfs.
  for (const command of program.commands) {
    if (command.name() !== 'make' && command.name() !== 'zfs')
      command.addOption(new Option('--root <dir>').hideHelp());
  }
  program.hook('preAction', (_program, command) => {
    const { root } = command.opts<{ root?: string }>();
    if (root !== undefined) program.setOptionValue('root', root);
  });
  return program;
}

const examples = `
A zone is named by its zonename, its UUID, its alias, or the beginning of its zonename.

Examples:
  vminfod-sim make /tmp/gz --vms 50
  vminfod --root /tmp/gz &
  export VMINFOD_SIM_ROOT=/tmp/gz
  vminfod-sim list
  vminfod-sim set web1 alias=www zone.cpu-shares=200
  vminfod-sim tag www role=frontend old-tag=
  vminfod-sim zfs set quota=20g zones/<zonename>
  vminfod-sim fault zfs --full --delay 30000
  vminfod-sim fault clear`;
