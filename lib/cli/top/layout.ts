/** How a screen's lines are shared out. Pure. */
import type { Size } from './model.js';

const headerLines = 2;
const tableHeadLines = 1;
const footerLines = 1;

/** Lines for the last changes, their title included: a quarter of the screen. */
export function changesLines({ rows }: Size): number {
  return rows < 12 ? 0 : Math.min(14, Math.max(4, Math.floor(rows / 4)));
}

/** Visible lines of an open VM. */
export function detailRows({ rows }: Size): number {
  return Math.max(1, rows - headerLines - tableHeadLines - footerLines - 1);
}

/** Visible rows of VMs. One line stays free: a terminal scrolls when its last one is filled. */
export function tableRows(size: Size): number {
  const taken = headerLines + tableHeadLines + changesLines(size) + footerLines + 1;
  return Math.max(1, size.rows - taken);
}
