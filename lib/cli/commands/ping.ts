/** `vminfo ping`: does the daemon answer? */
import { BadAnswerError } from '../../client/errors.js';
import { exit, type Context } from '../context.js';
import { warnOf } from '../stale.js';

/**
 * Asks for the status, which is needed anyway to tell whether VMs may be stale: a daemon that runs has loaded them, so one
 * request does. A daemon that does not run says in its answer to `/ping` why.
 */
export async function ping(context: Context, { json = false }: { json?: boolean } = {}): Promise<number> {
  const { client, signal, write } = context;
  const status = await client.status({ signal }).catch((error: unknown) => {
    if (error instanceof BadAnswerError) return error;
    throw error;
  });
  if (status instanceof BadAnswerError || status.state !== 'running') await client.ping({ signal });
  await write(json ? '{"ping":"pong"}\n' : 'pong\n');
  warnOf(context, status);
  return exit.ok;
}
