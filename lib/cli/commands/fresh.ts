/** The commands that have the daemon read VMs afresh, whether events said so or not. */
import { maxSyncs } from '../../config.js';
import { diff } from '../../vm/diff.js';
import { NotFoundError } from '../../client/errors.js';
import type { VminfodClient } from '../../client/client.js';
import { exit, noSuchZone, type Context } from '../context.js';
import { printableJson } from '../printable.js';
import { changeText } from './events.js';

export interface JsonOption {
  readonly json?: boolean;
}

/** Has a VM, or every VM, read afresh. */
export async function sync(
  { client, write, signal }: Context,
  zonename: string | undefined,
  { json }: JsonOption,
): Promise<number> {
  const zonenames =
    zonename === undefined ? (await client.vms({}, { signal })).map((vm) => vm.zonename) : [zonename];
  let synced = 0;
  for (let start = 0; start < zonenames.length; start += maxSyncs) {
    const reads = zonenames.slice(start, start + maxSyncs).map((each) => syncOne(client, each, signal));
    synced += (await Promise.all(reads)).filter(Boolean).length;
  }
  if (zonename !== undefined && synced === 0) throw noSuchZone(zonename);
  await write(
    json ? `${printableJson({ synced })}\n` : `${synced} ${synced === 1 ? 'VM is' : 'VMs are'} up to date\n`,
  );
  return exit.ok;
}

/** False when there is no such VM, which among all may have been deleted meanwhile. */
async function syncOne(client: VminfodClient, zonename: string, signal: AbortSignal): Promise<boolean> {
  try {
    await client.vm(zonename, { sync: true, signal });
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

/** What the cache had wrong of a VM; status 1 if anything. The cache is right afterwards. */
export async function differences(
  { client, write, signal }: Context,
  zonename: string,
  { json }: JsonOption,
): Promise<number> {
  const cached = await client.vm(zonename, { signal });
  const fresh = await client.vm(zonename, { sync: true, signal });
  const changes = diff(cached, fresh);
  await write(
    json ? `${printableJson(changes, 2)}\n` : changes.map((change) => `${changeText(change)}\n`).join(''),
  );
  return changes.length === 0 ? exit.ok : exit.failed;
}
