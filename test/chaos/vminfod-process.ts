/**
 * A vminfod of its own process: for what can be seen of a process only, as whether it ends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';

const vminfod = fileURLToPath(new URL('../../sbin/vminfod.cjs', import.meta.url));

/** A vminfod that runs. */
export interface VminfodProcess {
  readonly pid: number;
  readonly url: string;
  /** Sends SIGTERM. True when it ended with exit code 0 in time; it is gone in any case. */
  stop(withinMs: number): Promise<boolean>;
}

/** True for such a process. */
export function isVminfod({ args }: { readonly args: string }): boolean {
  return args.includes(vminfod);
}

/** Starts one. It listens when this resolves; its first load goes on. Rejects when it ends instead. */
export async function startVminfod(root: string, flags: readonly string[] = []): Promise<VminfodProcess> {
  const child = spawn(process.execPath, [vminfod, '--root', root, '--port', '0', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit') as Promise<[code: number | null]>;
  const listening = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { msg, url } = JSON.parse(line) as { readonly msg: string; readonly url?: string };
      if (msg.startsWith('listening on')) resolve(url ?? '');
    });
  });
  const url = await Promise.race([listening, ended.then(() => undefined)]);
  if (url === undefined) throw new Error(`${vminfod} ended with ${child.exitCode ?? child.signalCode}`);
  return {
    pid: child.pid ?? 0,
    url,
    stop: async (withinMs) => {
      child.kill('SIGTERM');
      const inTime = await Promise.race([ended, wait(withinMs, undefined, { ref: false })]);
      if (inTime === undefined) child.kill('SIGKILL');
      const [code] = await ended;
      return code === 0;
    },
  };
}
