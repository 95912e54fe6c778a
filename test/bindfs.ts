/** A file system that can be made to hang, as that of a suspended pool does: bindfs, stopped by SIGSTOP. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdirSync, readFileSync, renameSync } from 'node:fs';

/** A mounted directory. */
export interface HangingDirectory {
  /** From here on every call into this file system hangs. */
  hang(): void;
  goOn(): void;
  /** Lets it go on, and takes it away. What was below it is back. */
  remove(): Promise<void>;
}

/** Why there can be no such directory here; `false` when there can. For the `skip` of a test. */
export const noBindfs: string | false = reason();

/**
 * What runs bindfs, and takes it away when its own input ends: also when a test is killed, nothing that hangs is left behind.
 */
const script = `
bindfs -f -o "$1" "$2" "$3" >/dev/null 2>&1 &
echo $!
read _
kill -CONT $!; umount -l "$3"; kill -KILL $! 2>/dev/null; wait
`;

/** Puts a file system that can hang over a directory; its content stays reachable beside it, in `<path>.below`. */
export async function hangingDirectory(path: string): Promise<HangingDirectory> {
  const below = `${path}.below`;
  renameSync(path, below);
  mkdirSync(path);
  // Nothing is kept in the kernel: every call waits.
  const options = 'attr_timeout=0,entry_timeout=0,negative_timeout=0';
  const shell = spawn('sh', ['-c', script, 'sh', options, below, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(shell, 'exit');
  const [output] = (await once(shell.stdout, 'data')) as [Buffer];
  const pid = Number(output.toString());
  while (!isMounted(path)) {
    if (shell.exitCode !== null) throw new Error(`bindfs ended with ${shell.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    hang: () => {
      process.kill(pid, 'SIGSTOP');
    },
    goOn: () => {
      process.kill(pid, 'SIGCONT');
    },
    remove: async () => {
      shell.stdin.end();
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
