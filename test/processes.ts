/**
 * The processes that a process started, itself or by others: what the daemon under test runs.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** A running process. */
export interface RunningProcess {
  readonly pid: number;
  /** Its command line, joined by blanks. */
  readonly args: string;
}

/**
 * All that a process started and that still runs, without the `ps` that this takes; and without those that are left out,
 * with all below them.
 */
export async function descendantsOf(
  ancestor = process.pid,
  leftOut: (process: RunningProcess) => boolean = () => false,
): Promise<readonly RunningProcess[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,stat=,args=']);
  const all = stdout.split('\n').flatMap((line) => {
    const [, pid, parent, state = '', args = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return state.startsWith('Z') || args.startsWith('ps ')
      ? []
      : [{ pid: Number(pid), parent: Number(parent), args }];
  });
  const below = (pid: number): RunningProcess[] =>
    all.flatMap((each) =>
      each.parent === pid && !leftOut(each) ? [{ pid: each.pid, args: each.args }, ...below(each.pid)] : [],
    );
  return below(ancestor);
}

/** Ends with SIGKILL those descendants of ours whose command line fits. How many there were. */
export async function killDescendants(
  fits: (args: string) => boolean,
  ancestor = process.pid,
): Promise<number> {
  const found = (await descendantsOf(ancestor)).filter(({ args }) => fits(args));
  for (const { pid } of found) signal(pid, 'SIGKILL');
  return found.length;
}

/** Kills the commands that hang because of a fault of the simulated host. Returns their number. */
export function killHanging(): Promise<number> {
  return killDescendants((args) => /^perl .*-- -1$/.test(args));
}

/** True for a shell that waits for a command, or for the end of one. */
export function isShell({ args }: RunningProcess): boolean {
  return args === '/bin/sh';
}

/** Sends a signal to a process, which may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** True while there is such a process. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // there is no such process
  }
}

/** The pids of the processes whose command line mentions a directory. */
export function processesOf(directory: string): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory);
    } catch {
      return false; // It has just ended.
    }
  });
}
