/**
 * VMs listed as in vmadm(8): columns of dotted keys, sorting, a table for people and `:`-separated text for scripts.
 * Pure.
 */
import { isJsonArray, type JsonValue } from '../vm/json.js';
import { parseSelectors, valuesAt, type Selector } from '../vm/selector.js';
import { sizeText, unitOf, type Unit } from '../vm/units.js';
import type { VmObject } from '../vm/vm-object.js';
import { shortAge } from './numbers.js';
import { printable, printableJson } from './printable.js';
import { stateStyle } from './state-style.js';
import { clip, fit, widthOf, type Paint } from './text.js';

export interface TableOptions {
  /** Dotted keys: the columns. */
  readonly fields: readonly string[];
  readonly header: boolean;
  /** Lines are cut to this many columns of the screen; undefined: never. */
  readonly columns?: number | undefined;
  /** Colours the state. */
  readonly paint?: Paint;
  /** The time from which ages are counted, ms since the epoch. Default: now. */
  readonly now?: number;
}

/** Corrects the case of fields typed as, e.g., `ALIAS,Nics.*.ip`. Keys below a property keep their case. */
export function fieldNames(typed: readonly string[]): readonly string[] {
  return typed.map((field) => {
    const [property = '', ...keys] = field.split('.');
    return [property.toLowerCase(), ...keys].join('.');
  });
}

/** The minimum widths of vmadm's columns; any other column is as wide as its longest value. */
const fixedWidths: ReadonlyMap<string, number> = new Map([
  ['uuid', 36],
  ['type', 4],
  ['ram', 7],
  ['state', 16],
  ['alias', 10],
]);

/** A key to sort by, without its `-` or `+`. */
export function bareKey(key: string): string {
  return key.replace(/^[-+]/, '');
}

/**
 * VMs in the order of dotted keys, each with a `-` before it for descending or a `+`; snapshots and the like by how many
 * there are; VMs without a value last.
 * @throws QueryError for an unknown key.
 */
export function sortVms(vms: readonly VmObject[], keys: readonly string[]): VmObject[] {
  const selectors = parseSelectors(keys.map(bareKey));
  const signs = keys.map((key) => (key.startsWith('-') ? -1 : 1));
  // Looked up once per VM, not once per comparison.
  const entries = vms.map((vm) => ({ vm, values: selectors.map((selector) => valuesAt(vm, selector)[0]) }));
  entries.sort((a, b) => {
    for (const [index, sign] of signs.entries()) {
      const [x, y] = [a.values[index], b.values[index]];
      const order =
        isMissing(x) || isMissing(y) ? Number(isMissing(x)) - Number(isMissing(y)) : sign * compare(x, y);
      if (order !== 0) return order;
    }
    return 0;
  });
  return entries.map(({ vm }) => vm);
}

/**
 * A table for people, with columns two spaces apart: sizes with their units, times as ages, of snapshots, disks and the
 * like how many there are, an absent or false value as `-`.
 * @throws QueryError for an unknown field.
 */
export function tableText(vms: readonly VmObject[], options: TableOptions): string {
  const { fields, header, columns = Infinity, paint, now = Date.now() } = options;
  const shown = parseSelectors(fields).map((selector) => ({ selector, unit: unitOf(selector) }));
  const rows = vms.map((vm) => shown.map((column) => cell(vm, column, now) || '-'));
  if (header) rows.unshift(fields.map((field) => field.toUpperCase()));
  const widths = fields.map((field, column) =>
    rows.reduce((width, row) => Math.max(width, widthOf(row[column] ?? '')), fixedWidths.get(field) ?? 0),
  );
  const painted = paint === undefined ? -1 : fields.indexOf('state');
  return rows
    .map((row, index) => {
      const isHeader = header && index === 0;
      const padded = row.map((text, column) => fit(text, widths[column] ?? 0));
      const line = clip(padded.join('  ').trimEnd(), columns);
      if (paint === undefined || painted < 0 || isHeader) return `${line}\n`;
      const start = padded.slice(0, painted).join('  ').length + (painted === 0 ? 0 : 2);
      return `${paintPart(line, start, row[painted] ?? '', paint)}\n`;
    })
    .join('');
}

/** Colours the part of the state that is visible in a line. */
function paintPart(line: string, start: number, state: string, paint: Paint): string {
  const style = stateStyle(state);
  const shown = line.slice(start, start + state.length);
  if (style === undefined || shown === '') return line;
  return `${line.slice(0, start)}${paint(style, shown)}${line.slice(start + state.length)}`;
}

/**
 * One line per VM, values separated by `:`; a `:` in a value becomes `\:`, an absent value is empty.
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

interface Column {
  readonly selector: Selector;
  /** Of a size. */
  readonly unit: Unit | undefined;
}

function cell(vm: VmObject, { selector, unit }: Column, now: number): string {
  return valuesAt(vm, selector)
    .filter((value) => !isMissing(value) && value !== false)
    .map((value) => {
      if (isList(value)) return String(value.length);
      if (unit !== undefined && typeof value === 'number') return sizeText(value, unit);
      return typeof value === 'string' && isTime.test(value)
        ? ageText(now - Date.parse(value))
        : valueText(value);
    })
    .join(',');
}

const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function ageText(ms: number): string {
  return ms < 0 ? `in ${shortAge(-ms)}` : `${shortAge(ms)} ago`;
}

/** A scalar as it is, a list of them separated by commas, everything else as JSON. */
function valueText(value: JsonValue): string {
  if (isJsonArray(value) && value.every((element) => typeof element !== 'object')) {
    return value.map(valueText).join(',');
  }
  return typeof value === 'object' ? printableJson(value) : printable(String(value));
}

/** An array of things that have properties of their own. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return isJsonArray(value) && value.some((element) => typeof element === 'object');
}

function isMissing(value: JsonValue | undefined): value is undefined | null {
  return value === undefined || value === null;
}

function compare(a: JsonValue, b: JsonValue): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (isList(a) && isList(b)) return a.length - b.length;
  const [x, y] = typeof a === 'string' && typeof b === 'string' ? [a, b] : [valueText(a), valueText(b)];
  return x < y ? -1 : Number(x > y);
}
