/** All of vminfo, from its arguments to its exit status. */
import type { VmClient } from '../client/client.js';
import { exit, type Surroundings } from './context.js';
import { exitStatus, withClient } from './exit-status.js';
import { createProgram, usageStatus } from './program.js';
import { hostClient, type Target } from './target.js';

/** @returns the exit status; everything it opened is closed. */
export function main(surroundings: Surroundings): Promise<number> {
  const { argv, env, stderr } = surroundings;
  return exitStatus(surroundings, async (output) => {
    const helps: Promise<void>[] = [];
    let status: number = exit.ok;
    const program = createProgram({
      env,
      writeOut: (text) => {
        helps.push(output.write(text));
      },
      writeErr: (text) => void stderr.write(text),
      run: async (target, command) => {
        const client = await clientOf(target, output.signal);
        status = await withClient(client, { ...output, isFleet: target.fleet !== undefined }, command);
      },
    });
    try {
      await program.parseAsync(argv, { from: 'user' }).finally(() => Promise.all(helps));
      return status;
    } catch (error) {
      return usageStatus(error);
    }
  });
}

async function clientOf(target: Target, signal: AbortSignal): Promise<VmClient> {
  const { fleet } = target;
  if (fleet === undefined) return hostClient(target, signal);
  const [{ FleetClient }, { whereIsNats }] = await Promise.all([
    import('../fleet/client.js'),
    import('../fleet/nats-flags.js'),
  ]);
  return FleetClient.connect({ ...(await whereIsNats(fleet)), name: 'vminfo', signal });
}
