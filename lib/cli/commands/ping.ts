/** `vminfo ping`: does the daemon answer? */
import { exit, type Context } from '../context.js';
import { warnIfStale } from '../stale.js';

export async function ping(context: Context, { json = false }: { json?: boolean } = {}): Promise<number> {
  await context.client.ping();
  await context.write(json ? '{"ping":"pong"}\n' : 'pong\n');
  await warnIfStale(context);
  return exit.ok;
}
