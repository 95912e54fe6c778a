/** A file system that can be made to hang, as that of a suspended pool does: bindfs, stopped by SIGSTOP. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, readFileSync, renameSync } from 'node:fs';

/** A mounted directory. */
export interface HangingDirectory {
  /** From here on whoever asks this file system anything waits. */
  hang(): void;
  goOn(): void;
  /** Lets it go on, and takes it away. What was below it is back. */
  remove(): Promise<void>;
}

/** Why there can be no such directory here; `false` when there can. For the `skip` of a test. */
export const noBindfs: string | false = reason();

/** Puts a file system that can hang over a directory; what is in it stays in reach. */
export async function hangingDirectory(path: string): Promise<HangingDirectory> {
  const below = `${path}.below`;
  renameSync(path, below);
  mkdirSync(path);
  // Nothing is kept in the kernel: every call waits.
  const options = 'attr_timeout=0,entry_timeout=0,negative_timeout=0';
  const child = spawn('bindfs', ['-f', '-o', options, below, path], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = once(child, 'exit');
  while (!isMounted(path)) {
    if (child.exitCode !== null) throw new Error(`bindfs ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    hang: () => {
      child.kill('SIGSTOP');
    },
    goOn: () => {
      child.kill('SIGCONT');
    },
    remove: async () => {
      child.kill('SIGCONT');
      if (isMounted(path)) execFileSync('umount', ['-l', path]);
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function isMounted(path: string): boolean {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .some((line) => line.split(' ')[1] === path);
}

function reason(): string | false {
  try {
    accessSync('/dev/fuse', constants.R_OK | constants.W_OK);
    execFileSync('bindfs', ['--version'], { stdio: 'ignore' });
    return false;
  } catch (error) {
    return `needs /dev/fuse and bindfs: ${(error as Error).message}`;
  }
}
