/** The commands that read VMs: the platform's `vms` and `vm`, and vmadm's `list`, `lookup` and `get`. */
import { parseFields, project } from '../../vm/fields.js';
import type { VmObject } from '../../vm/vm-object.js';
import { CommandError, exit, type Context } from '../context.js';
import { getVm } from '../get-vm.js';
import { printableJson } from '../printable.js';
import { parsableText, sortVms, tableText } from '../table.js';

export async function vms({ client, write }: Context): Promise<number> {
  await write(`${printableJson(await client.vms(), 2)}\n`);
  return exit.ok;
}

/** `vm` and `get`. */
export async function vm({ client, write, signal }: Context, zonename: string): Promise<number> {
  await write(`${printableJson(await getVm(client, zonename, { signal }), 2)}\n`);
  return exit.ok;
}

export interface ListOptions {
  readonly output: readonly string[];
  readonly sort: readonly string[];
  readonly parsable?: boolean;
  readonly header: boolean;
  readonly json?: boolean;
}

export async function list(
  context: Context,
  filters: readonly string[],
  options: ListOptions,
): Promise<number> {
  const { output: fields, sort, parsable, header, json } = options;
  const sorted = sortVms(await matching(context, filters), sort);
  await context.write(
    json
      ? `${printableJson(sorted, 2)}\n`
      : parsable
        ? parsableText(sorted, fields)
        : tableText(sorted, { fields, header }),
  );
  return exit.ok;
}

export interface LookupOptions {
  readonly json?: boolean;
  readonly unique?: boolean;
  readonly output?: readonly string[];
}

export async function lookup(
  context: Context,
  filters: readonly string[],
  { json, unique, output }: LookupOptions,
): Promise<number> {
  const found = await matching(context, filters);
  if (unique && found.length !== 1) {
    throw new CommandError(`Requested unique lookup but found ${found.length} results.`);
  }
  await context.write(
    json ? `${printableJson(projected(found, output), 2)}\n` : found.map(({ uuid }) => `${uuid}\n`).join(''),
  );
  return exit.ok;
}

function projected(found: readonly VmObject[], output: readonly string[] | undefined): readonly object[] {
  if (!output) return found;
  const fields = parseFields(output.join(','));
  return found.map((each) => project(fields, each));
}

/** Filters here rather than in the daemon, so that those of every age answer the same. */
async function matching({ client, signal }: Context, filters: readonly string[]): Promise<VmObject[]> {
  if (filters.length === 0) return client.vms({}, { signal });
  const { matches, parseEntry, parseFilter } = await import('../../vm/filter.js');
  const filter = parseFilter(filters.map(parseEntry));
  return (await client.vms({}, { signal })).filter((each) => matches(filter, each));
}
