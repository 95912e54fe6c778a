/** The commands that make the daemon read VMs afresh, whether or not there was an event. */
import { maxSyncs } from '../../config.js';
import { diff } from '../../vm/diff.js';
import { maskChange } from '../../vm/secrets.js';
import { NotFoundError } from '../../client/errors.js';
import { exit, type Context } from '../context.js';
import { classicChange } from '../event-lines.js';
import { getVm } from '../name-vm.js';
import { printableJson } from '../printable.js';

export interface JsonOption {
  readonly json?: boolean;
}

/** Has a VM, or every VM, read afresh. */
export async function sync(
  context: Context,
  zonename: string | undefined,
  { json }: JsonOption,
): Promise<number> {
  const synced = zonename === undefined ? await syncAll(context) : await syncOne(context, zonename);
  await context.write(
    json ? `${printableJson({ synced })}\n` : `${synced} ${synced === 1 ? 'VM is' : 'VMs are'} up to date\n`,
  );
  return exit.ok;
}

async function syncOne({ client, signal }: Context, zonename: string): Promise<number> {
  await getVm(client, zonename, { sync: true, signal });
  return 1;
}

/** Several at a time, so that the daemon can read them together. A VM that is deleted meanwhile does not count. */
async function syncAll({ client, signal }: Context): Promise<number> {
  const vms = await client.vms({}, { signal });
  let synced = 0;
  for (let start = 0; start < vms.length; start += maxSyncs) {
    const reads = vms.slice(start, start + maxSyncs).map(({ zonename }) =>
      client.vm(zonename, { sync: true, signal }).catch((error: unknown) => {
        if (!(error instanceof NotFoundError)) throw error;
      }),
    );
    synced += (await Promise.all(reads)).filter((vm) => vm !== undefined).length;
  }
  return synced;
}

/** Prints what the cache had wrong about a VM; status 1 if anything. The cache is right afterwards. */
export async function differences(
  { client, write, signal }: Context,
  name: string,
  { json }: JsonOption,
): Promise<number> {
  const cached = await getVm(client, name, { signal });
  const fresh = await getVm(client, cached.zonename, { sync: true, signal });
  const changes = diff(cached, fresh);
  await write(
    json
      ? `${printableJson(changes, 2)}\n`
      : changes.map((change) => `${classicChange(maskChange(change))}\n`).join(''),
  );
  return changes.length === 0 ? exit.ok : exit.failed;
}
