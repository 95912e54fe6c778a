/** `vminfo fleet …` */
import { connectNats, type Nats } from '../../fleet/connection.js';
import { whereIsNats } from '../../fleet/nats-flags.js';
import { initFleet } from '../../fleet/streams.js';
import { exit, type Context } from '../context.js';

export async function init(
  { write }: Context,
  where: string,
  { replicas, maxBytes }: { replicas: string; maxBytes?: number },
): Promise<number> {
  return connected(where, async (nats) => {
    const options = { replicas: Number(replicas), ...(maxBytes !== undefined && { maxBytes }) };
    for (const { stream, done } of await initFleet(nats, options)) await write(`${stream}: ${done}\n`);
    return exit.ok;
  });
}

async function connected<T>(where: string, use: (nats: Nats) => Promise<T>): Promise<T> {
  const nats = await connectNats(await whereIsNats(where), 'vminfo');
  try {
    return await use(nats);
  } finally {
    await nats.connection.close();
  }
}
