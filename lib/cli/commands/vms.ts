/** The quick commands that read VMs: the platform's `vms` and `vm`, vmadm's `get`, and its `list` as a table. */
import { propertiesOf } from '../../vm/selector.js';
import type { VmObject } from '../../vm/vm-object.js';
import { exit, type Context } from '../context.js';
import { getVm } from '../name-vm.js';
import { printableJson } from '../printable.js';
import { warnIfStale } from '../stale.js';
import { bareKey, parsableText, sortVms, tableText } from '../table.js';

export async function vms({ client, write }: Context): Promise<number> {
  await write(`${printableJson(await client.vms(), 2)}\n`);
  return exit.ok;
}

/** `vm` and `get`. */
export async function vm(context: Context, name: string): Promise<number> {
  const { client, write, signal } = context;
  const shown = await getVm(client, name, { signal });
  if (context.isFleet) await nameOtherCopies(context, shown);
  await write(`${printableJson(shown, 2)}\n`);
  return exit.ok;
}

/** A VM that is being migrated is on two hosts: says which one is shown. */
async function nameOtherCopies({ client, warn, signal }: Context, shown: VmObject): Promise<void> {
  const { zonename } = shown;
  const all = await client.vms({ zonename }, { signal });
  const others = all.filter(({ server_uuid }) => server_uuid !== shown.server_uuid);
  if (others.length === 0) return;
  const named = (vm: VmObject & { host?: string }) => `${vm.host ?? vm.server_uuid ?? ''} (${vm.state})`;
  warn(
    `${zonename} is on ${all.length} hosts: this is the one on ${named(shown)}; also on ${others.map(named).join(', ')}`,
  );
}

/** vmadm's columns. */
export const defaultFields: readonly string[] = ['uuid', 'type', 'ram', 'state', 'alias'];

/** vmadm's order. */
export const defaultSort: readonly string[] = ['ram', 'uuid'];

export interface ListTableOptions {
  /** Dotted keys: the columns. */
  readonly fields?: readonly string[];
  /** Dotted keys, each with a sign before it or not. */
  readonly sort?: readonly string[];
  readonly header?: boolean;
  /** For scripts: separated by colons. */
  readonly parsable?: boolean;
  /** Lines are cut to this many columns of the screen; undefined: never. Default: the terminal's. */
  readonly columns?: number | undefined;
  /** Which VMs to list. Default: all. */
  readonly choose?: (vms: readonly VmObject[]) => readonly VmObject[];
}

/** `list` as a table. */
export async function listTable(context: Context, options: ListTableOptions = {}): Promise<number> {
  const { client, isFleet, signal, paint, write } = context;
  const { columns, fields, sort, header, parsable, choose } = {
    columns: context.columns,
    fields: defaultFields,
    sort: defaultSort,
    header: true,
    ...options,
  };
  // Most of a VM is not shown, and parsing it would take longest of all. A daemon that cannot select, such as the
  // platform's, sends all of it. VMs are chosen here, by any property, so that daemons of every version choose the same.
  const isPart = choose === undefined && !isFleet;
  const query = isPart ? { fields: propertiesOf([...fields, ...sort.map(bareKey)]).join(',') } : {};
  const all = await client.vms(query, { signal });
  const sorted = sortVms(choose?.(all) ?? all, sort);
  await write(
    parsable ? parsableText(sorted, fields) : tableText(sorted, { fields, header, columns, paint }),
  );
  await warnIfStale(context, sorted);
  return exit.ok;
}
