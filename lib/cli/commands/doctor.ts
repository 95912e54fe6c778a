/** `vminfo doctor`: whether vminfod's answers can be trusted, and if not, why and what to do. */
import { diagnose, type Trouble } from '../../client/diagnose.js';
import { NotReadyError, TimeoutError, UnreachableError } from '../../client/errors.js';
import { exit, type Context } from '../context.js';
import { printable, printableJson } from '../printable.js';
import type { JsonOption } from './fresh.js';

export async function doctor(context: Context, { json }: JsonOption): Promise<number> {
  const { client, write, paint } = context;
  const status = await client.status().catch((error: unknown) => {
    if (error instanceof UnreachableError || error instanceof NotReadyError) return unreachable(error);
    if (error instanceof TimeoutError) return hanging(error);
    throw error;
  });
  const troubles = 'what' in status ? [status] : diagnose(status);
  if (json) await write(`${printableJson({ healthy: troubles.length === 0, troubles }, 2)}\n`);
  else if (troubles.length === 0)
    await write(`${paint('green', 'vminfod is well')} at ${printable(client.url)}\n`);
  for (const { what, advice } of json ? [] : troubles) {
    await write(`${paint('red', 'trouble:')} ${printable(what)}\n  ${printable(advice)}\n`);
  }
  return troubles.length === 0 ? exit.ok : exit.failed;
}

function unreachable({ message }: Error): Trouble {
  return {
    what: message,
    advice:
      'Is the service online? See svcs -xv svc:/system/vminfod and its log (svcs -L); check --url and VMINFOD_URL.',
    isStale: true,
  };
}

function hanging({ message }: Error): Trouble {
  return {
    what: message,
    advice:
      'It runs but does nothing: it is stopped (prun), or waits for a file system or the kernel (pstack, mdb -k). ' +
      'svcadm restart svc:/system/vminfod starts a new one.',
    isStale: true,
  };
}
