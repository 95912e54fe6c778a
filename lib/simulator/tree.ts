/**
 * The bare tree of a simulated global zone: directories, commands, empty channels. The commands are copied into it, so
 * that a tree works wherever it is, even after the package is gone.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { resetInvocations } from './invocations.js';
import { commandPaths, type Paths, type SimulatedCommand } from './paths.js';

/** Makes the directories and commands. */
export function createTree(paths: Paths): void {
  for (const directory of paths.directories) mkdirSync(directory, { recursive: true });
  writeFileSync(paths.channel('zones'), '');
  writeFileSync(paths.channel('zfs'), '');
  resetInvocations(paths);
  writeFileSync(paths.program, `${process.execPath}\n${program}\n`);
  const scripts = scriptsDirectory();
  for (const name of readdirSync(scripts)) copyFileSync(join(scripts, name), join(paths.commands, name));
  for (const command of Object.keys(commandPaths) as SimulatedCommand[]) {
    copyFileSync(join(scripts, `${command}.sh`), paths.command(command));
    chmodSync(paths.command(command), 0o755);
  }
}

/** The program to which the commands delegate; it is not copied. */
const program = fileURLToPath(new URL('../../sbin/vminfod-sim.js', import.meta.url));

/** lib/simulator/commands of the package: the scripts are not compiled, so they are not in dist. */
function scriptsDirectory(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const scripts = join(directory, 'lib/simulator/commands');
    if (existsSync(scripts)) return scripts;
    if (directory === dirname(directory))
      throw new Error('lib/simulator/commands is missing from the package');
  }
}
