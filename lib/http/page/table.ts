/** The table of VMs. Only the rows in view are in the document, each absolutely positioned, so that none moves another. */
import { html, nothing, type TemplateResult } from '/page/lit-html/lit-html.js';
import { repeat } from '/page/lit-html/directives/repeat.js';
import { sizeText } from '../../vm/units.js';
import { nearlyFull, shareOf, type SpaceUse } from '../../vm/usage.js';
import { agoText, spanText } from '../../vm/span.js';
import { clockText } from './format.js';
import { vmHash, type RouteQuery } from './route.js';
import type { ColumnId, Row } from './rows.js';
import type { Ui } from './ui.js';

interface Column {
  readonly id: ColumnId;
  readonly title: string;
  readonly isNumber?: true;
  readonly cell: (row: Row, now: number) => unknown;
}

const columns: readonly Column[] = [
  { id: 'state', title: 'State', cell: ({ state }) => stateBadge(state) },
  {
    id: 'alias',
    title: 'VM',
    cell: ({ alias, key }) => html`<a href=${vmHash(key)} tabindex="-1" title=${key}>${alias}</a>`,
  },
  { id: 'host', title: 'Host', cell: ({ host }) => host },
  { id: 'brand', title: 'Brand', cell: ({ brand }) => brand },
  { id: 'ram', title: 'RAM', isNumber: true, cell: ({ ram }) => (ram ? sizeText(ram, 'MiB') : '–') },
  { id: 'cpu', title: 'CPU', isNumber: true, cell: ({ vm }) => (vm.cpu_cap ? `${vm.cpu_cap} %` : '–') },
  {
    id: 'quota',
    title: 'Quota',
    isNumber: true,
    cell: ({ vm }) => (vm.quota ? sizeText(vm.quota, 'GiB') : '–'),
  },
  { id: 'used', title: 'Used', isNumber: true, cell: ({ use }) => (use === undefined ? '–' : usedBar(use)) },
  { id: 'ip', title: 'Primary IP', cell: ({ ip }) => ip || '–' },
  { id: 'package', title: 'Package', cell: (row) => row.package || '–' },
  {
    id: 'up',
    title: 'Up',
    isNumber: true,
    cell: ({ bootedAt }, now) => (bootedAt === undefined ? '–' : spanText(Math.max(0, now - bootedAt))),
  },
  {
    id: 'changed',
    title: 'Last change',
    cell: ({ changed }, now) =>
      changed === undefined
        ? nothing
        : html`<span class="ago" title=${clockText(new Date(changed.at).toISOString())}
              >${agoText(Math.max(0, now - changed.at))}</span
            >
            ${changed.text}`,
  },
];

export function stateBadge(state: string): TemplateResult {
  return html`<span class="state" data-state=${state}>${state}</span>`;
}

function usedBar(use: SpaceUse): TemplateResult {
  const share = shareOf(use);
  const text = `${sizeText(use.usedMiB, 'MiB')} of ${sizeText(use.limitMiB, 'MiB')}`;
  return html`<span class="used" title=${text} data-full=${share >= nearlyFull ? 'true' : nothing}
    >${Math.round(share * 100)} %<i .style=${`width: ${Math.min(100, share * 100)}%`}></i
  ></span>`;
}

/** How long a row that changed is marked; page.css fades the mark in the same time. */
export const markedMs = 5_000;

const overscan = 6;

export interface TableActions {
  readonly sort: (by: string) => void;
  readonly open: (row: Row) => void;
  readonly moveTo: (row: Row | undefined) => void;
  readonly scrolled: (scroller: HTMLElement) => void;
}

export function vmTable(
  rows: readonly Row[],
  query: RouteQuery,
  ui: Ui,
  actions: TableActions,
): TemplateResult {
  const height = rowHeight(ui);
  const shown = rows.some(({ host }) => host !== '') ? columns : columns.filter(({ id }) => id !== 'host');
  const first = Math.max(0, Math.floor(ui.viewport.top / height) - overscan);
  const last = Math.min(rows.length, Math.ceil((ui.viewport.top + ui.viewport.height) / height) + overscan);
  const inView = rows.slice(first, last);
  const cursorInView = inView.some(({ key }) => key === ui.cursor);
  return html`
    <div
      class="grid"
      role="grid"
      id="vms"
      tabindex="0"
      aria-label="Virtual machines"
      aria-rowcount=${rows.length + 1}
      aria-activedescendant=${cursorInView ? rowId(ui.cursor) : nothing}
      data-hosts=${shown === columns ? 'true' : nothing}
      @scroll=${({ currentTarget }: Event) => {
        actions.scrolled(currentTarget as HTMLElement);
      }}
      @keydown=${(event: KeyboardEvent) => {
        onKey(event, rows, ui, actions);
      }}
    >
      <div class="head" role="rowgroup">
        <div class="row" role="row" aria-rowindex="1">
          ${shown.map((column) => headerCell(column, query.sort, actions))}
        </div>
      </div>
      <div class="body" role="rowgroup" .style=${`height: ${rows.length * height}px`}>
        ${repeat(
          inView,
          ({ key }) => key,
          (row, index) => bodyRow(row, first + index, shown, ui, actions),
        )}
      </div>
      ${rows.length === 0 ? html`<p class="empty">No VM matches.</p>` : nothing}
    </div>
  `;
}

/** In pixels, as in page.css. */
export function rowHeight({ isNarrow }: Ui): number {
  return isNarrow ? 62 : 34;
}

function headerCell({ id, title, isNumber }: Column, sort: string, actions: TableActions): TemplateResult {
  const direction = sort === id ? 'ascending' : sort === `-${id}` ? 'descending' : undefined;
  return html`<div
    class="cell"
    data-column=${id}
    role="columnheader"
    data-number=${isNumber ?? nothing}
    aria-sort=${direction ?? nothing}
  >
    <button
      type="button"
      @click=${() => {
        actions.sort(direction === 'ascending' ? `-${id}` : id);
      }}
    >
      ${title}
    </button>
  </div>`;
}

function bodyRow(
  row: Row,
  index: number,
  shown: readonly Column[],
  ui: Ui,
  actions: TableActions,
): TemplateResult {
  const isMarked = row.changed !== undefined && ui.now - row.changed.seenAt < markedMs;
  // A row that changes while it is marked gets a second name of the same animation, which restarts it.
  const mark = isMarked ? (row.changed.seenAt % 2 === 0 ? 'even' : 'odd') : nothing;
  return html`<div
    class="row"
    role="row"
    id=${rowId(row.key)}
    aria-rowindex=${index + 2}
    aria-selected=${row.key === ui.cursor ? 'true' : 'false'}
    data-mark=${mark}
    .style=${`transform: translateY(${index * rowHeight(ui)}px)`}
    @click=${() => {
      actions.open(row);
    }}
  >
    ${shown.map(
      ({ id, isNumber, cell }) =>
        html`<div class="cell" data-column=${id} role="gridcell" data-number=${isNumber ?? nothing}>
          ${cell(row, ui.now)}
        </div>`,
    )}
  </div>`;
}

function rowId(key: string | undefined): string {
  return `row-${key ?? ''}`;
}

function onKey(event: KeyboardEvent, rows: readonly Row[], ui: Ui, actions: TableActions): void {
  if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
  const page = Math.max(1, Math.floor(ui.viewport.height / rowHeight(ui)) - 1);
  const at = rows.findIndex(({ key }) => key === ui.cursor);
  const to = {
    ArrowDown: at + 1,
    j: at + 1,
    ArrowUp: at - 1,
    k: at - 1,
    PageDown: at + page,
    PageUp: at - page,
  }[event.key];
  const row = rows[at];
  if (event.key === 'Enter' && row !== undefined) actions.open(row);
  else if (event.key === 'Home') actions.moveTo(rows[0]);
  else if (event.key === 'End') actions.moveTo(rows.at(-1));
  else if (to !== undefined) actions.moveTo(rows[Math.min(rows.length - 1, Math.max(0, to))]);
  else return;
  event.preventDefault();
}
