/**
 * VMs as vmadm(8) lists them: columns of dotted keys, sorting, a table for people and `:`-separated text for scripts.
 * Pure.
 */
import { isJsonArray, type JsonValue } from '../vm/json.js';
import { parseSelectors, valuesAt, type Selector } from '../vm/selector.js';
import type { VmObject } from '../vm/vm-object.js';
import { printable, printableJson } from './printable.js';

export interface TableOptions {
  /** Dotted keys: the columns. */
  readonly fields: readonly string[];
  readonly header: boolean;
  /** Cuts lines to this, in characters; undefined: never. */
  readonly columns?: number | undefined;
}

/** Fields as they are written, from what was typed in whatever case: `ALIAS,Nics.*.ip`. Keys below a property keep theirs. */
export function fieldNames(typed: readonly string[]): readonly string[] {
  return typed.map((field) => {
    const [property = '', ...keys] = field.split('.');
    return [property.toLowerCase(), ...keys].join('.');
  });
}

/** The widths of vmadm's columns; any other is as wide as its longest value. */
const fixedWidths: ReadonlyMap<string, number> = new Map([
  ['uuid', 36],
  ['type', 4],
  ['ram', 7],
  ['state', 16],
  ['alias', 10],
]);

/**
 * VMs in the order of dotted keys, each with a `-` before it for descending or a `+`; VMs without a value last.
 * @throws QueryError for an unknown key.
 */
export function sortVms(vms: readonly VmObject[], keys: readonly string[]): VmObject[] {
  const selectors = parseSelectors(keys.map((key) => key.replace(/^[-+]/, '')));
  const orders = selectors.map((selector, index) => ({
    selector,
    sign: keys[index]?.startsWith('-') ? -1 : 1,
  }));
  return [...vms].sort((a, b) => {
    for (const { selector, sign } of orders) {
      const [x] = valuesAt(a, selector);
      const [y] = valuesAt(b, selector);
      const order =
        isMissing(x) || isMissing(y) ? Number(isMissing(x)) - Number(isMissing(y)) : sign * compare(x, y);
      if (order !== 0) return order;
    }
    return 0;
  });
}

/**
 * A table with columns two spaces apart; an absent or false value is `-`.
 * @throws QueryError for an unknown field.
 */
export function tableText(vms: readonly VmObject[], { fields, header, columns }: TableOptions): string {
  const selectors = parseSelectors(fields);
  const rows = vms.map((vm) => selectors.map((selector) => cell(valuesAt(vm, selector)) || '-'));
  if (header) rows.unshift(fields.map((field) => field.toUpperCase()));
  const widths = fields.map(
    (field, column) => fixedWidths.get(field) ?? Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) => {
      const padded = row.map((text, column) => text.padEnd(widths[column] ?? 0));
      return `${cutTo(columns, padded.join('  ').trimEnd())}\n`;
    })
    .join('');
}

/**
 * A line a VM, its values separated by `:`; a `:` in a value is `\:`, an absent value is empty.
 * @throws QueryError for an unknown field.
 */
export function parsableText(vms: readonly VmObject[], fields: readonly string[]): string {
  const selectors = parseSelectors(fields);
  const value = (vm: VmObject, selector: Selector) => {
    const values = valuesAt(vm, selector).filter((each) => !isMissing(each));
    return values.map(valueText).join(',').replaceAll(':', '\\:');
  };
  return vms.map((vm) => `${selectors.map((selector) => value(vm, selector)).join(':')}\n`).join('');
}

/** A line no longer than a terminal is wide: one VM, one line. */
function cutTo(columns: number | undefined, line: string): string {
  return columns !== undefined && line.length > columns
    ? `${line.slice(0, Math.max(0, columns - 1))}…`
    : line;
}

function cell(values: readonly JsonValue[]): string {
  return values
    .filter((value) => !isMissing(value) && value !== false)
    .map(valueText)
    .join(',');
}

/** A scalar as it is, a list of them separated by commas, everything else as JSON. */
function valueText(value: JsonValue): string {
  if (isJsonArray(value) && value.every((element) => typeof element !== 'object')) {
    return value.map(valueText).join(',');
  }
  return typeof value === 'object' ? printableJson(value) : printable(String(value));
}

function isMissing(value: JsonValue | undefined): value is undefined | null {
  return value === undefined || value === null;
}

function compare(a: JsonValue, b: JsonValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [x, y] = [valueText(a), valueText(b)];
  return x < y ? -1 : Number(x > y);
}
