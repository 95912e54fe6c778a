/**
 * Figures of several host sizes, as one table or as JSON. Each row is one figure; how it grows from the smallest host to
 * the largest is the last column, so that anything worse than linear shows.
 */
import { arch, cpus, loadavg, platform } from 'node:os';
import { median, percentile } from './statistics.js';

/** One thing measured on one host. */
export interface Figure {
  /** What it is; begins with `beside:` for what others are compared with. */
  readonly name: string;
  readonly unit: string;
  /** The median, where there are several. */
  readonly value: number;
  readonly p99?: number;
  /** The bound that it should keep. */
  readonly reach?: { readonly atMost: number } | { readonly atLeast: number };
}

/** All figures of one measurement on one host. */
export interface Result {
  readonly measurement: string;
  readonly vms: number;
  readonly figures: readonly Figure[];
}

/** Median and p99 of many values of one thing. */
export function figure(
  name: string,
  unit: string,
  values: readonly number[],
  reach?: Figure['reach'],
): Figure {
  return {
    name,
    unit,
    value: median(values),
    ...(values.length > 1 && { p99: percentile(values, 0.99) }),
    ...(reach && { reach }),
  };
}

/** One value. */
export function single(name: string, unit: string, value: number, reach?: Figure['reach']): Figure {
  return { name, unit, value, ...(reach && { reach }) };
}

/** Where and how it was measured. */
export function machine(): Readonly<Record<string, string | number>> {
  const processors = cpus();
  return {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${platform()} ${arch()}`,
    processor: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    load: loadavg()[0] ?? 0,
  };
}

/** The results as they are. */
export function toJson(results: readonly Result[], where: ReturnType<typeof machine>): string {
  return `${JSON.stringify({ machine: where, results }, null, 2)}\n`;
}

/** What a user decides by: the rows of the short table. */
const decisive: ReadonlySet<string> = new Set([
  'beside: node -e 0',
  'process start to first /ping',
  'process start to first /ping, times node -e 0',
  'vminfo ping, times node -e 0',
  'vminfo list, times node -e 0',
  'GET /vms/<zone>, 10 connections',
  'share of the bare server, GET /vms/<zone>, 10 connections',
  'beside: assembling GET /vms/<zone> on request',
  'GET /vms, 10 connections',
  'alias, idle',
  'quota, idle',
  'quota above its command, idle',
  'state, idle',
  'state above its slower command, idle',
  'sustained',
  '1000 listeners: change to the last',
  'at start',
  'after 10000 events',
  'a rescan that finds nothing',
  'event loop held, longest, in a rescan',
]);

/** The results without what only who works on the daemon wants to know. */
export function shortened(results: readonly Result[]): readonly Result[] {
  return results.map((result) => ({
    ...result,
    figures: result.figures.filter(({ name }) => decisive.has(name)),
  }));
}

/** The results as a table. A figure that misses its bound is marked with `!`. */
export function toTable(results: readonly Result[], where: ReturnType<typeof machine>): string {
  const sizes = [...new Set(results.map(({ vms }) => vms))];
  const rows: string[][] = [['', 'unit', ...sizes.map((vms) => `${vms} VMs`), 'growth', 'reach']];
  for (const measurement of new Set(results.map((result) => result.measurement))) {
    const bySize = sizes.map(
      (vms) => results.find((result) => result.vms === vms && result.measurement === measurement)?.figures,
    );
    if (bySize.some((figures) => figures !== undefined && figures.length > 0)) rows.push([measurement]);
    for (const name of new Set(bySize.flatMap((figures) => figures?.map((each) => each.name) ?? []))) {
      const figures = bySize.map((all) => all?.find((each) => each.name === name));
      const some = figures.find((each) => each !== undefined);
      if (some === undefined) continue;
      rows.push([`  ${name}`, some.unit, ...figures.map(cell), growth(figures), reachText(some.reach)]);
    }
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((text, column) =>
        column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const head = Object.entries(where).map(([key, value]) => `${key}: ${value}`);
  return `${head.join(' · ')}\nmedian / p99 where there are many rounds; ! misses its bound\n\n${lines.join('\n')}\n`;
}

function cell(of: Figure | undefined): string {
  if (of === undefined) return '';
  const text = of.p99 === undefined ? digits(of.value) : `${digits(of.value)} / ${digits(of.p99)}`;
  return misses(of) ? `! ${text}` : text;
}

function misses({ value, reach }: Figure): boolean {
  if (reach === undefined) return false;
  return 'atMost' in reach ? !(value <= reach.atMost) : !(value >= reach.atLeast);
}

function growth(figures: readonly (Figure | undefined)[]): string {
  const [first, last] = [figures[0], figures.at(-1)];
  if (first === undefined || last === undefined || first === last || first.value === 0) return '';
  return `× ${digits(last.value / first.value)}`;
}

function reachText(reach: Figure['reach']): string {
  if (reach === undefined) return '';
  return 'atMost' in reach ? `≤ ${reach.atMost}` : `≥ ${reach.atLeast}`;
}

/** Three digits that count. */
function digits(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0);
  if (Math.abs(value) >= 10) return value.toFixed(1);
  return Math.abs(value) >= 0.1 || value === 0 ? value.toFixed(2) : value.toFixed(4);
}
