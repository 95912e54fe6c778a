/** `vminfo fleet …` */
import { NotFoundError } from '../../client/errors.js';
import { FleetClient } from '../../fleet/client.js';
import { connectNats, type Nats } from '../../fleet/connection.js';
import { diagnoseFleet } from '../../fleet/diagnose.js';
import { readHosts } from '../../fleet/hosts.js';
import { whereIsNats } from '../../fleet/nats-flags.js';
import { initFleet } from '../../fleet/streams.js';
import { collectMarkers, forgetHost } from '../../fleet/upkeep.js';
import { exit, type Context } from '../context.js';
import { printable, printableJson } from '../printable.js';

export async function init(
  { write }: Context,
  where: string,
  { replicas, maxBytes }: { replicas?: string; maxBytes?: number },
): Promise<number> {
  return connected(where, async (nats) => {
    const options = {
      ...(replicas !== undefined && { replicas: Number(replicas) }),
      ...(maxBytes !== undefined && { maxBytes }),
    };
    for (const { stream, done } of await initFleet(nats, options)) await write(`${stream}: ${done}\n`);
    return exit.ok;
  });
}

export async function hosts(
  { write, paint, signal }: Context,
  where: string,
  { json }: { json?: boolean },
): Promise<number> {
  return connected(where, async (nats) => {
    const all = [...(await readHosts(nats, signal))].sort((a, b) =>
      a.record.hostname < b.record.hostname ? -1 : 1,
    );
    if (json) {
      await write(`${printableJson(all, 2)}\n`);
      return exit.ok;
    }
    const width = Math.max(4, ...all.map(({ record }) => record.hostname.length));
    await write(paint('bold', `${'HOST'.padEnd(width)}  SERVER                                VMS  STATE\n`));
    for (const { record, server, stale } of all) {
      const { trouble, behind } = record.publisher;
      const state =
        stale !== undefined
          ? paint('red', `stale since ${stale}`)
          : trouble
            ? paint('red', trouble.message)
            : behind > 0
              ? paint('yellow', `${behind} VMs to be written`)
              : paint('green', record.daemon?.state ?? 'its vminfod does not answer');
      const line = `${record.hostname.padEnd(width)}  ${server.padEnd(36)}  ${String(record.vms.total).padStart(3)}`;
      await write(`${printable(line)}  ${state}\n`);
    }
    return exit.ok;
  });
}

export async function doctor({ write, paint, signal }: Context, where: string): Promise<number> {
  const client = await FleetClient.connect({ ...(await whereIsNats(where)), name: 'vminfo doctor', signal });
  try {
    const [all, vms] = [await client.hosts(), await client.vms()];
    const troubles = diagnoseFleet(all, vms, await client.fill(), await client.digests());
    for (const { what, remedy } of troubles) {
      await write(`${paint('red', printable(what))}\n    ${printable(remedy)}\n`);
    }
    if (troubles.length > 0) return exit.failed;
    await write(`all is well: ${all.length} hosts, ${vms.length} VMs\n`);
    return exit.ok;
  } finally {
    await client.close();
  }
}

export async function forget({ write, signal }: Context, where: string, server: string): Promise<number> {
  return connected(where, async (nats) => {
    const host = (await readHosts(nats, signal)).find((each) => each.server === server);
    if (host === undefined) throw new NotFoundError(`no host ${server}`, 'NotFound');
    await write(
      `${printable(host.record.hostname)} is forgotten: ${await forgetHost(nats, host)} messages\n`,
    );
    return exit.ok;
  });
}

export async function gc({ write, signal }: Context, where: string): Promise<number> {
  return connected(where, async (nats) => {
    await write(`${await collectMarkers(nats, signal)} VMs that are gone were removed\n`);
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
