/** What the keys do. Pure. */
import { columnNames } from './column-names.js';
import { detailLines } from './detail.js';
import { detailRows, tableRows } from './layout.js';
import type { TopModel } from './model.js';
import { rowFilter } from './row-filter.js';
import { vmKey } from '../../vm/vm-key.js';
import { shownVms } from './rows.js';

/** A key by its name, or what was typed (or pasted) as text. */
export interface Key {
  readonly name:
    | 'up'
    | 'down'
    | 'pageUp'
    | 'pageDown'
    | 'home'
    | 'end'
    | 'left'
    | 'right'
    | 'enter'
    | 'escape'
    | 'backspace'
    | 'text';
  readonly text: string;
}

export function pressed(model: TopModel, key: Key): TopModel {
  if (model.mode !== 'typing' && key.text === 'q') return { ...model, quit: true };
  switch (model.mode) {
    case 'help':
      return { ...model, mode: 'table' };
    case 'typing':
      return typed(model, key);
    case 'detail':
      return inDetail(model, key);
    case 'table':
      return inTable(model, key);
  }
}

function typed(model: TopModel, key: Key): TopModel {
  switch (key.name) {
    case 'enter':
      return { ...model, mode: 'table' };
    case 'escape':
      return withFilter({ ...model, mode: 'table' }, '');
    case 'backspace':
      return withFilter(model, withoutLast(model.filter.text));
    case 'text':
      return withFilter(model, model.filter.text + key.text);
    default:
      return moved(model, key);
  }
}

/** Without the last visible character. */
function withoutLast(text: string): string {
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment)
    .slice(0, -1)
    .join('');
}

function withFilter(model: TopModel, text: string): TopModel {
  return keptInSight({ ...model, filter: rowFilter(text) });
}

function inTable(model: TopModel, key: Key): TopModel {
  switch (key.name) {
    case 'enter':
      return model.selected === undefined ? model : { ...model, mode: 'detail', scroll: 0 };
    case 'escape':
      return withFilter(model, '');
    case 'text':
      return command(model, key.text);
    default:
      return moved(model, key);
  }
}

function command(model: TopModel, text: string): TopModel {
  switch (text) {
    case '/':
      return { ...model, mode: 'typing' };
    case '?':
    case 'h':
      return { ...model, mode: 'help' };
    case 's':
      return sortedBy(model, 1);
    case 'S':
      return sortedBy(model, -1);
    case 'r':
      return keptInSight({ ...model, sort: { ...model.sort, descending: !model.sort.descending } });
    case 'j':
      return moved(model, { name: 'down', text: '' });
    case 'k':
      return moved(model, { name: 'up', text: '' });
    default:
      return model;
  }
}

/** The next column, or the one before. */
function sortedBy(model: TopModel, step: 1 | -1): TopModel {
  const index = columnNames.indexOf(model.sort.column) + step;
  const column = columnNames.at(index % columnNames.length) ?? model.sort.column;
  return keptInSight({ ...model, sort: { column, descending: false } });
}

function inDetail(model: TopModel, key: Key): TopModel {
  const page = detailRows(model.size);
  const to = (scroll: number): TopModel => {
    const last = Math.max(0, detailLines(model).length - page);
    return { ...model, scroll: Math.min(Math.max(0, scroll), last) };
  };
  switch (key.name) {
    case 'escape':
    case 'enter':
    case 'left':
    case 'backspace':
      return keptInSight({ ...model, mode: 'table', scroll: 0 });
    case 'up':
      return to(model.scroll - 1);
    case 'down':
      return to(model.scroll + 1);
    case 'pageUp':
      return to(model.scroll - page);
    case 'pageDown':
      return to(model.scroll + page);
    case 'home':
      return to(0);
    case 'end':
      return to(Infinity);
    case 'text':
      return key.text === 'k' ? to(model.scroll - 1) : key.text === 'j' ? to(model.scroll + 1) : model;
    default:
      return model;
  }
}

function moved(model: TopModel, { name }: Key): TopModel {
  const rows = shownVms(model);
  const at = rows.findIndex((vm) => vmKey(vm) === model.selected);
  const page = tableRows(model.size);
  const steps: Partial<Record<Key['name'], number>> = {
    up: -1,
    down: 1,
    pageUp: -page,
    pageDown: page,
    home: -Infinity,
    end: Infinity,
  };
  const step = steps[name];
  if (step === undefined) return model;
  // Without a cursor the first step down lands on the first row.
  const index = Math.min(Math.max(0, at + step), rows.length - 1);
  const row = rows[index];
  return keptInSight({ ...model, selected: row && vmKey(row) });
}

/** Scrolls as little as it takes for the row under the cursor to be seen. */
export function keptInSight(model: TopModel): TopModel {
  const rows = shownVms(model);
  const page = tableRows(model.size);
  const at = rows.findIndex((vm) => vmKey(vm) === model.selected);
  const last = Math.max(0, rows.length - page);
  const scroll = at === -1 ? model.scroll : Math.min(Math.max(model.scroll, at - page + 1), at);
  return { ...model, scroll: Math.min(scroll, last) };
}
