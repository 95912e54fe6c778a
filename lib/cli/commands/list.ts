/** The commands that choose VMs: vmadm's `list` and `lookup`. */
import { matches, type Filter } from '../../vm/conditions.js';
import { parseFields, project } from '../../vm/fields.js';
import type { VmObject } from '../../vm/vm-object.js';
import { CliError, exit, UsageError, type Context } from '../context.js';
import { namesAndConditions, vmNamed } from '../name-vm.js';
import { printableJson } from '../printable.js';
import { warnIfStale } from '../stale.js';
import { fieldNames, sortVms, tableText } from '../table.js';
import { defaultFields, defaultSort, listTable } from './vms.js';

export interface ListOptions {
  /** Columns, or one of the formats `json`, `yaml` and `wide`. Undefined: vmadm's columns. */
  readonly output?: readonly string[];
  /** Undefined: vmadm's order. */
  readonly sort?: readonly string[];
  readonly parsable?: boolean;
  readonly header: boolean;
  readonly json?: boolean;
  /** Keeps the table up to date in place. */
  readonly watch?: boolean;
}

export async function list(
  context: Context,
  filters: readonly string[],
  { output, sort = defaultSort, parsable = false, header, json, watch }: ListOptions,
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
  if (format === 'json' || format === 'yaml') {
    const sorted = sortVms(await matching(context, filters), sort);
    const shown = projected(sorted, asked);
    await context.write(
      format === 'json' ? `${printableJson(shown, 2)}\n` : (await import('../yaml.js')).yamlText(shown),
    );
    await warnIfStale(context, sorted);
    return exit.ok;
  }
  return listTable(context, {
    ...{ fields, sort, header, parsable },
    ...(format === 'wide' && { columns: undefined }),
    ...(filters.length > 0 && { choose: await chooser(filters) }),
  });
}

const formats: ReadonlySet<string> = new Set(['json', 'yaml', 'wide']);

const wideFields: readonly string[] = [
  ...defaultFields,
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
