/** `vminfo ping`: does the daemon answer? */
import { exit, type Context } from '../context.js';

export async function ping(
  { client, write }: Context,
  { json = false }: { json?: boolean },
): Promise<number> {
  await client.ping();
  await write(json ? '{"ping":"pong"}\n' : 'pong\n');
  return exit.ok;
}
