/**
 * The rows of the table: what is shown of each VM, made once when it changes, and which of them a query selects, in its
 * order. Pure.
 */
import { matches, parseConditionsWith, type Filter } from '../../vm/conditions.js';
import { QueryError } from '../../vm/selector.js';
import { shareOf, spaceUse, type DatasetUsage, type SpaceUse } from '../../vm/usage.js';
import type { VmObject } from '../../vm/vm-object.js';
import { ramOf } from '../../vm/vm-properties.js';
import { facets, type Facet, type RouteQuery } from './route.js';

/** What the table knows about a VM. */
export interface Row {
  readonly key: string;
  readonly vm: VmObject;
  readonly alias: string;
  readonly state: string;
  readonly brand: string;
  /** MiB. */
  readonly ram: number | undefined;
  /** How much of its disk space it has used, if that is known. */
  readonly use: SpaceUse | undefined;
  readonly ip: string;
  readonly owner: string;
  readonly package: string;
  /** Where it runs, when VMs of several hosts are shown. */
  readonly host: string;
  /** Since when it has been up, milliseconds since the epoch. */
  readonly bootedAt: number | undefined;
  /** The text to search, in lower case. */
  readonly text: string;
  /** Sorts aliases naturally: web2 before web10. */
  readonly order: string;
  readonly changed: LastChange | undefined;
}

/** The last change that is known of a VM. */
export interface LastChange {
  /** When, milliseconds since the epoch as the daemon's clock has it. */
  readonly at: number;
  readonly text: string;
  /** When it was seen, as the browser's clock has it; 0 when it was over before. */
  readonly seenAt: number;
}

export function rowOf(vm: VmObject, changed: Row['changed'], usage: DatasetUsage | undefined): Row {
  const alias = typeof vm.alias === 'string' && vm.alias !== '' ? vm.alias : vm.zonename;
  const primary = vm.nics.find(({ primary }) => primary === true) ?? vm.nics[0];
  const row = {
    key: vm.zonename,
    vm,
    alias,
    state: vm.state,
    brand: vm.brand,
    ram: ramOf(vm),
    use: spaceUse(vm, usage),
    ip: primary?.ip ?? '',
    owner: vm.owner_uuid ?? '',
    package: vm.package_name ?? vm.billing_id ?? '',
    host: hostOf(vm),
    bootedAt: vm.boot_timestamp === undefined ? undefined : Date.parse(vm.boot_timestamp),
    order: alias.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(12, '0')),
    changed,
  };
  const searched = [
    alias,
    vm.uuid,
    vm.zonename,
    row.owner,
    row.package,
    row.host,
    vm.hostname,
    vm.image_uuid,
  ];
  const addresses = vm.nics.flatMap(({ ip, mac }) => [ip, mac]);
  return { ...row, text: [...searched, ...addresses, row.state, row.brand].join('\n').toLowerCase() };
}

/** A gateway over many hosts adds each VM's host. */
function hostOf(vm: VmObject): string {
  const { host, datacenter } = vm as VmObject & { readonly host?: unknown; readonly datacenter?: unknown };
  return [datacenter, host].filter((part) => typeof part === 'string').join(' / ');
}

/** A row's value for a facet. */
export type Facets = Readonly<Record<Facet, ReadonlyMap<string, number>>>;

export interface Selected {
  readonly rows: readonly Row[];
  /** For each facet, the values among VMs that match the rest of the query, and how many VMs have each. */
  readonly counts: Facets;
  /** The error in the search, which then selects by its other words. */
  readonly problem: string | undefined;
}

export function selectRows(all: Iterable<Row>, query: RouteQuery): Selected {
  const { words, filter, problem } = parseSearch(query.search);
  const counts = Object.fromEntries(facets.map((facet) => [facet, new Map<string, number>()])) as Record<
    Facet,
    Map<string, number>
  >;
  const rows: Row[] = [];
  for (const row of all) {
    if (!words.every((word) => row.text.includes(word)) || !matches(filter, row.vm)) continue;
    const failing = facets.filter((facet) => query[facet] !== undefined && query[facet] !== row[facet]);
    for (const facet of facets) {
      // Only by the other facets, to show what choosing another value would give.
      const isCounted = failing.length === 0 || (failing.length === 1 && failing[0] === facet);
      if (isCounted && row[facet] !== '')
        counts[facet].set(row[facet], (counts[facet].get(row[facet]) ?? 0) + 1);
    }
    if (failing.length === 0) rows.push(row);
  }
  return { rows: sorted(rows, query.sort), counts, problem };
}

/** Words to be found anywhere, and conditions such as `ram>=2g` or `tags.role=db`. */
function parseSearch(search: string): {
  readonly words: readonly string[];
  readonly filter: Filter;
  readonly problem: string | undefined;
} {
  const parts = search.split(/\s+/).filter((part) => part !== '');
  const words = parts.filter((part) => !isCondition(part)).map((word) => word.toLowerCase());
  try {
    return { words, filter: parseConditionsWith(compile, parts.filter(isCondition)), problem: undefined };
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { words, filter: [], problem: error.message };
  }
}

function isCondition(part: string): boolean {
  return /^[\w.*-]+[=~<>!]/.test(part);
}

/** The reader's own pattern, run in the reader's own browser. */
function compile(key: string, pattern: string): (text: string) => boolean {
  try {
    const expression = new RegExp(pattern, 'i');
    return (text) => expression.test(text);
  } catch (cause) {
    throw new QueryError(`${key}: ${(cause as Error).message}`, [key], { cause });
  }
}

/** The value by which each column sorts. */
export const sortKeys = {
  alias: ({ order }) => order,
  host: ({ host }) => host || undefined,
  state: ({ state }) => state,
  brand: ({ brand }) => brand,
  ram: ({ ram }) => ram,
  cpu: ({ vm }) => vm.cpu_cap,
  quota: ({ vm }) => vm.quota,
  used: ({ use }) => use && shareOf(use),
  ip: ({ ip }) => ip.replace(/\d+/g, (digits) => digits.padStart(3, '0')) || undefined,
  package: (row) => row.package || undefined,
  up: ({ bootedAt }) => (bootedAt === undefined ? undefined : -bootedAt),
  changed: ({ changed }) => changed?.at,
} satisfies Record<string, (row: Row) => string | number | undefined>;
export type ColumnId = keyof typeof sortKeys;

/** VMs without a value come last in either direction; equal ones by alias. */
function sorted(rows: readonly Row[], sort: string): readonly Row[] {
  const descending = sort.startsWith('-');
  const id = descending ? sort.slice(1) : sort;
  const keyOf: (row: Row) => string | number | undefined =
    id in sortKeys ? sortKeys[id as ColumnId] : sortKeys.alias;
  const keyed = rows.map((row) => ({ row, key: keyOf(row) }));
  keyed.sort((a, b) => {
    if (a.key === b.key) return compare(a.row.order, b.row.order) || compare(a.row.key, b.row.key);
    if (a.key === undefined) return 1;
    if (b.key === undefined) return -1;
    return descending ? compare(b.key, a.key) : compare(a.key, b.key);
  });
  return keyed.map(({ row }) => row);
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : Number(a > b);
}
