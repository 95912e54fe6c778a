/** The screen as lines of text, determined by the model alone. Pure. */
import { drawDetail } from './draw-detail.js';
import { drawHeader } from './draw-header.js';
import { drawHelp } from './draw-help.js';
import { drawEntry, drawTable } from './draw-table.js';
import { changesLines } from './layout.js';
import type { TopModel } from './model.js';
import { clip, widthOf, type Paint } from '../text.js';

/**
 * One line fewer than the screen has, each narrower than it: a terminal scrolls when its last line is filled, and text
 * written past the last column lands on that column.
 */
export function draw(whole: TopModel, paint: Paint): readonly string[] {
  const model = { ...whole, size: { ...whole.size, columns: Math.max(1, whole.size.columns - 1) } };
  const height = Math.max(1, model.size.rows - 1);
  const body = [...drawHeader(model, paint), ...bodyOf(model, paint)].slice(0, height - 1);
  const blank = Array.from({ length: height - 1 - body.length }, () => '');
  return [...body, ...blank, drawFooter(model, paint)];
}

function bodyOf(model: TopModel, paint: Paint): readonly string[] {
  switch (model.mode) {
    case 'help':
      return drawHelp(model, paint);
    case 'detail':
      return drawDetail(model, paint);
    case 'table':
    case 'typing':
      return [...drawTable(model, paint), ...drawChanges(model, paint)];
  }
}

function drawChanges(model: TopModel, paint: Paint): readonly string[] {
  const lines = changesLines(model.size);
  if (lines === 0) return [];
  const { columns } = model.size;
  const heading = ' LAST CHANGES ';
  const title = paint('dim', clip(heading + '─'.repeat(Math.max(0, columns - heading.length)), columns));
  const entries = model.entries.slice(0, lines - 1).map((entry) => drawEntry(entry, model, paint));
  if (entries.length === 0) entries.push(paint('dim', ' nothing yet'));
  return [title, ...entries];
}

function drawFooter({ mode, filter, size }: TopModel, paint: Paint): string {
  if (mode === 'typing') {
    const problem = filter.problem === undefined ? '' : `  ${filter.problem}`;
    const text = clip(`/${filter.text}`, size.columns - 2);
    return `${text}${paint('inverse', ' ')}${paint('yellow', clip(problem, size.columns - 1 - text.length))}`;
  }
  const keys = {
    table: '↑↓ move  ⏎ open  / filter  s sort  r reverse  ? help  q quit',
    detail: '↑↓ PgUp PgDn scroll  Esc back  q quit',
    help: 'any key goes back',
  };
  const kept = mode === 'table' && filter.text !== '' ? clip(` /${filter.text}  Esc ends it `, 40) : '';
  return paint('yellow', kept) + paint('dim', clip(` ${keys[mode]}`, size.columns - widthOf(kept)));
}
