/**
 * The child processes of this process: what the daemon under test runs.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A running child. */
export interface Child {
  readonly pid: number;
  /** Its command line, joined by blanks. */
  readonly args: string;
}

/** The children that run now, without the `ps` that this takes. */
export async function children(): Promise<readonly Child[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=,args=']);
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, state = '', args = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const isOurs = Number(parent) === process.pid && !state.startsWith('Z') && !args.startsWith('ps ');
    return isOurs ? [{ pid: Number(pid), args }] : [];
  });
}

/** Ends with SIGKILL those of our children whose command line fits. How many there were. */
export async function killChildren(fits: (args: string) => boolean): Promise<number> {
  const found = (await children()).filter(({ args }) => fits(args));
  for (const { pid } of found) signal(pid, 'SIGKILL');
  return found.length;
}

/** Sends a signal to a process, which may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
