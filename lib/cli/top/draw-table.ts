/** The table of VMs, and the lines of what happened. Pure. */
import { top } from '../../config.js';
import { vmKey } from '../../vm/vm-key.js';
import type { VmObject } from '../../vm/vm-object.js';
import type { Style } from '../context.js';
import { columns, type Column } from './columns.js';
import { tableRows } from './layout.js';
import type { ChangeRow, TopModel } from './model.js';
import { shortAge } from '../numbers.js';
import { shownVms } from './rows.js';
import { clip, fit, type Paint } from '../text.js';

/** From this many columns on, each row ends with the VM's last change, */
const lastChangeColumns = 100;

/** and from this many on the columns are wide. */
const wideColumns = 150;

export function drawTable(model: TopModel, paint: Paint): readonly string[] {
  const rows = shownVms(model);
  const page = tableRows(model.size);
  const from = Math.max(0, Math.min(model.scroll, rows.length - page));
  const shown = rows.slice(from, from + page).map((vm) => drawRow(vm, model, paint));
  if (shown.length === 0) shown.push(paint('dim', ` no VM matches ${clip(model.filter.text, 60)}`));
  const blank = Array.from({ length: page - shown.length }, () => '');
  return [drawHead(model, paint), ...shown, ...blank];
}

/** `12s ago  web0  quota 10 -> 20 GiB` */
export function drawEntry(
  { at, alias, kind, text }: ChangeRow,
  { size, now }: TopModel,
  paint: Paint,
): string {
  const style = kindStyles[kind];
  const room = size.columns - 25;
  const shown = clip(text, room);
  const what = style === undefined ? shown : paint(style, shown);
  return ` ${paint('dim', fit(shortAge(now - at), 4, 'right'))}  ${fit(alias, 16)} ${what}`;
}

const kindStyles: Readonly<Record<ChangeRow['kind'], Style | undefined>> = {
  created: 'green',
  started: 'green',
  stopped: 'yellow',
  deleted: 'red',
  failed: 'red',
  changed: undefined,
};

function drawHead({ size, sort }: TopModel, paint: Paint): string {
  const titles = columnsIn(size.columns).map((column) => {
    const width = widthIn(column, size.columns);
    if (column.name !== sort.column) return fit(column.title, width, column.align);
    const arrow = sort.descending ? '▼' : '▲';
    return fit(column.title.slice(0, width - 1) + arrow, width, column.align);
  });
  const last = size.columns < lastChangeColumns ? [] : ['LAST CHANGE'];
  return paint('inverse', fit(`  ${[...titles, ...last].join(gap(size.columns))}`, size.columns));
}

function drawRow(vm: VmObject, model: TopModel, paint: Paint): string {
  const { size, now, changed, selected, usage } = model;
  const change = changed.get(vmKey(vm));
  const isFresh = change !== undefined && now - change.at < top.markMs;
  const isSelected = vmKey(vm) === selected;
  const facts = { vm, now, change, usage: usage[vm.zonename] };
  const cells = columnsIn(size.columns).map((column) => {
    const width = widthIn(column, size.columns);
    const text = fit(column.text(facts, width) || '-', width, column.align);
    const style = isSelected ? undefined : column.style?.(facts);
    return style === undefined ? text : paint(style, text);
  });
  const mark = isFresh ? paint('yellow', '●') : ' ';
  const before = cells.join(gap(size.columns));
  const behind = size.columns < lastChangeColumns ? '' : drawLast(change, size.columns);
  const row = `${mark} ${before}${isFresh && !isSelected ? paint('yellow', behind) : behind}`;
  return isSelected ? paint('inverse', row) : row;
}

function drawLast(change: ChangeRow | undefined, screen: number): string {
  const between = gap(screen);
  const taken = columns.reduce((sum, column) => sum + widthIn(column, screen) + between.length, 2);
  return between + fit(change?.text ?? '', screen - taken);
}

/** As many columns as fit, from the left; the first always does. */
function columnsIn(screen: number): typeof columns {
  let room = screen - 2 + gap(screen).length;
  return columns.filter((column, index) => {
    room -= widthIn(column, screen) + gap(screen).length;
    return index === 0 || room >= 0;
  });
}

function isWide(screen: number): boolean {
  return screen >= wideColumns;
}

function widthIn({ width, wideWidth }: Column, screen: number): number {
  return Math.min(isWide(screen) ? wideWidth : width, screen - 2);
}

function gap(screen: number): string {
  return isWide(screen) ? '  ' : ' ';
}
