/** The commands that only ask and print. */
import { NotFoundError } from '../../client/errors.js';
import { CommandError, type Context } from '../context.js';
import { printableJson } from '../printable.js';

export async function ping({ client, write }: Context, { json = false }: { json?: boolean }): Promise<void> {
  await client.ping();
  await write(json ? '{"ping":"pong"}\n' : 'pong\n');
}

export async function vms({ client, write }: Context): Promise<void> {
  await write(`${printableJson(await client.vms(), 2)}\n`);
}

/** Of a VM that does not exist it says what zoneadm(8) says, as vmadm does. */
export async function vm({ client, write }: Context, zonename: string): Promise<void> {
  const found = await client.vm(zonename).catch((error: unknown) => {
    if (!(error instanceof NotFoundError)) throw error;
    throw new CommandError(`zoneadm: ${zonename}: No such zone configured`, { cause: error });
  });
  await write(`${printableJson(found, 2)}\n`);
}
