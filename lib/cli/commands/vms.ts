/** The commands that read VMs: the platform's `vms` and `vm`, and vmadm's `list`, `lookup` and `get`. */
import { matches, type Filter } from '../../vm/conditions.js';
import { parseFields, project } from '../../vm/fields.js';
import type { VmObject } from '../../vm/vm-object.js';
import { CliError, exit, UsageError, type Context } from '../context.js';
import { getVm, namesAndConditions, vmNamed } from '../name-vm.js';
import { printableJson } from '../printable.js';
import { warnIfStale } from '../stale.js';
import { fieldNames, parsableText, sortVms, tableText } from '../table.js';

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

export interface ListOptions {
  /** Columns, or one of the formats `json`, `yaml` and `wide`. Undefined: vmadm's columns. */
  readonly output?: readonly string[];
  readonly sort: readonly string[];
  readonly parsable?: boolean;
  readonly header: boolean;
  readonly json?: boolean;
  /** Keeps the table up to date in place. */
  readonly watch?: boolean;
}

export async function list(
  context: Context,
  filters: readonly string[],
  { output, sort, parsable, header, json, watch }: ListOptions,
): Promise<number> {
  const [only = '', ...others] = output ?? [];
  const format = others.length === 0 && formats.has(only) ? only : json ? 'json' : undefined;
  const asked = output && !formats.has(only) ? fieldNames(output) : undefined;
  const fields = asked ?? (format === 'wide' ? wideFields : defaultFields);
  const { paint } = context;
  if (watch) {
    if (format === 'json' || format === 'yaml')
      throw new UsageError(`vminfo: -w cannot be combined with ${format}`);
    const { watchList } = await import('./list-watch.js');
    const choose = await chooser(filters);
    return watchList(context, (vms, columns) =>
      tableText(sortVms(choose(vms), sort), { fields, header, columns, paint })
        .trimEnd()
        .split('\n'),
    );
  }
  const sorted = sortVms(await matching(context, filters), sort);
  await context.write(await text());
  await warnIfStale(context, sorted);
  return exit.ok;

  async function text(): Promise<string> {
    if (format === 'json') return `${printableJson(projected(sorted, asked), 2)}\n`;
    if (format === 'yaml') {
      const { yamlText } = await import('../yaml.js');
      return yamlText(projected(sorted, asked));
    }
    if (parsable) return parsableText(sorted, fields);
    return tableText(sorted, {
      fields,
      header,
      columns: format === 'wide' ? undefined : context.columns,
      paint,
    });
  }
}

const formats: ReadonlySet<string> = new Set(['json', 'yaml', 'wide']);

/** Lists VMs like vmadm(8). */
const defaultFields: readonly string[] = ['uuid', 'type', 'ram', 'state', 'alias'];

const wideFields: readonly string[] = [
  ...['uuid', 'type', 'ram', 'state', 'alias'],
  ...['nics.*.ip', 'quota', 'cpu_cap', 'image_uuid', 'owner_uuid', 'boot_timestamp'],
];

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
    throw new CliError(`Requested unique lookup but found ${found.length} results.`);
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

/**
 * The VMs that match all conditions and, if any are named, are among the named ones. Filters here rather than in the
 * daemon, so that daemons of every version give the same answer.
 */
async function matching({ client, signal }: Context, args: readonly string[]): Promise<VmObject[]> {
  const choose = await chooser(args);
  return choose(await client.vms({}, { signal }));
}

/** A function that chooses VMs by names and conditions. Names are resolved among the first VMs that it gets. */
async function chooser(args: readonly string[]): Promise<(vms: readonly VmObject[]) => VmObject[]> {
  const { names, conditions } = namesAndConditions(args);
  const filter = await filterOf(conditions);
  let named: ReadonlySet<string> | undefined;
  return (vms) => {
    if (names.length > 0) named ??= new Set(names.map((name) => vmNamed(vms, name).zonename));
    return vms.filter((each) => named?.has(each.zonename) !== false && matches(filter, each));
  };
}

/** RE2 is loaded only for conditions: loading it takes as long as the rest. */
async function filterOf(conditions: readonly string[]): Promise<Filter> {
  return conditions.length === 0 ? [] : (await import('../../vm/filter.js')).parseConditions(conditions);
}
