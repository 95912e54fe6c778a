/** The page: drawn from the model, the reader's settings and the address, at most once a frame. */
import { html, nothing, render, type TemplateResult } from '/page/lit-html/lit-html.js';
import { changeList } from './changes.js';
import { agoText } from '../../vm/span.js';
import { clockText } from './format.js';
import { healthPage, troublesOf } from './health.js';
import { PageModel } from './model.js';
import { parseRoute, vmHash, vmsHash, type RouteQuery, type Route } from './route.js';
import { selectRows, type Row, type Selected } from './rows.js';
import { nextTheme, themeName } from './theme.js';
import { markedMs, rowHeight, vmTable } from './table.js';
import { toolbar } from './toolbar.js';
import { createUi } from './ui.js';
import { vmPage } from './vm-page.js';

/** The shortest time between redraws for events: each takes a few milliseconds, and nobody reads faster. */
const drawIntervalMs = 200;
/** How long the notice of a restored connection is shown. */
const backMs = 6_000;

const app = document.getElementById('app') ?? document.body;
const ui = createUi();
let route: Route = parseRoute(location.hash);
/** The table's last query, to which the reader returns. */
let query: RouteQuery = route.view === 'vms' ? route.query : { search: '', sort: 'alias' };
let backAt = 0;
let wasLost = false;
let selection:
  { readonly version: number; readonly query: RouteQuery; readonly selected: Selected } | undefined;

let frame = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let drawnAt = 0;

/** Draws in the next frame: the reader did something. */
function drawNow(): void {
  if (frame === 0) frame = requestAnimationFrame(draw);
}

/** Draws soon: something happened. */
function drawSoon(): void {
  timer ??= setTimeout(drawNow, Math.max(0, drawnAt + drawIntervalMs - performance.now()));
}

const model = new PageModel(() => {
  const isLost = model.connection.state === 'lost';
  if (wasLost && model.connection.state === 'live') backAt = Date.now();
  wasLost = isLost;
  drawSoon();
});

function draw(): void {
  clearTimeout(timer);
  timer = undefined;
  frame = 0;
  drawnAt = performance.now();
  ui.now = Date.now();
  document.title = titleOf(route);
  render(view(), app);
}

function selected(): Selected {
  if (selection?.version !== model.version || selection.query !== query) {
    selection = { version: model.version, query, selected: selectRows(model.rows.values(), query) };
  }
  return selection.selected;
}

function titleOf(at: Route): string {
  if (at.view === 'vm') return `${model.find(at.id)?.alias ?? at.id} – vminfod`;
  return at.view === 'vms' ? 'vminfod' : `${at.view === 'changes' ? 'Changes' : 'Health'} – vminfod`;
}

function view(): TemplateResult {
  return html`${header()}
    <main data-view=${route.view}>${content()}</main>
    ${banner()} ${shortcuts()}`;
}

function content(): TemplateResult {
  switch (route.view) {
    case 'vm':
      return vmPage(model.find(route.id), route.id, model, ui, changeActions);
    case 'health':
      return healthPage(model);
    case 'changes':
      return changesPane();
    case 'vms':
      return html`<section class="vms" aria-label="VMs">
          ${toolbar(selected(), query, model.rows.size, tableActions)}
          ${model.loaded ? vmTable(selected().rows, query, ui, tableActions) : loading()}
        </section>
        ${ui.isNarrow ? nothing : changesPane()}`;
  }
}

function changesPane(): TemplateResult {
  return html`<section class="changes" aria-labelledby="changes-title">
    <h2 id="changes-title">Changes</h2>
    ${changeList({ entries: model.entries, model, ui, actions: changeActions })}
  </section>`;
}

/** Shown until the first snapshot: what the daemon waits for. */
function loading(): TemplateResult {
  const { status } = model;
  const awaiting = status?.awaiting ?? [];
  return html`<p class="empty" role="status">
    ${
      awaiting.length > 0
        ? `vminfod is starting: it waits for ${awaiting.join(', ')}. The VMs appear once they are read.`
        : 'Loading …'
    }
  </p>`;
}

function header(): TemplateResult {
  const troubles = troublesOf(model);
  const { state } = model.connection;
  const words = { live: 'live', lost: 'connection lost', connecting: 'connecting' };
  const link = (view: Route['view'], href: string, text: unknown) =>
    html`<a href=${href} aria-current=${route.view === view ? 'page' : nothing}>${text}</a>`;
  return html`<header class="top">
    <a class="brand" href=${vmsHash(query)}
      ><img src="/page/icon.svg" alt="" width="20" height="20" />vminfod</a
    >
    <nav aria-label="Views">
      ${link('vms', vmsHash(query), 'VMs')} ${link('changes', '#/changes', 'Changes')}
      ${link(
        'health',
        '#/health',
        html`Health${
          troubles.length > 0
            ? html` <span class="badge" aria-label=${`${troubles.length} troubles`}>${troubles.length}</span>`
            : nothing
        }`,
      )}
    </nav>
    <span class="where">${whereText()}</span>
    <span class="connection" data-state=${state} role="status">${words[state]}</span>
    <button
      type="button"
      class="icon"
      title="Theme"
      aria-label=${`Theme: ${themeName()}`}
      @click=${() => {
        nextTheme();
        drawNow();
      }}
    >
      ◐
    </button>
    <button
      type="button"
      class="icon wide-only"
      title="Keys"
      aria-label="Keys"
      aria-keyshortcuts="?"
      @click=${() => {
        showShortcuts();
      }}
    >
      ?
    </button>
  </header>`;
}

/** The host, as its VMs name it. */
function whereText(): string {
  const [first] = model.rows.values();
  if (first?.host !== '') return '';
  return [first.vm.datacenter_name, first.vm.server_uuid?.slice(0, 8)]
    .filter((part) => part !== undefined)
    .join(' · ');
}

function banner(): TemplateResult {
  const { connection } = model;
  let text: unknown = nothing;
  let kind = '';
  if (connection.state === 'lost') {
    kind = 'lost';
    text = html`<span
        ><b>The connection is lost.</b> What you see is as of
        ${clockText(new Date(connection.since).toISOString())}, ${agoText(ui.now - connection.since)}.</span
      >
      <button
        type="button"
        @click=${() => {
          model.retryNow();
        }}
      >
        Try now
      </button>`;
  } else if (ui.now - backAt < backMs) {
    kind = 'back';
    text =
      model.lastReconnection === 'resumed'
        ? html`<span><b>Connected again.</b> Nothing was missed.</span>`
        : html`<span
            ><b>vminfod has been restarted.</b> The table is as it is now; what differs from before is among
            the changes.</span
          >`;
  }
  return html`<div class="banner" role="status" data-kind=${kind || nothing}>${text}</div>`;
}

function shortcuts(): TemplateResult {
  const keys = [
    ['/', 'search'],
    ['↑ ↓ j k', 'move in the table'],
    ['PgUp PgDn Home End', 'move far'],
    ['Enter', 'open the VM'],
    ['Esc', 'back, or clear the search'],
    ['h', 'health'],
    ['c', 'changes'],
    ['?', 'this'],
  ] as const;
  return html`<dialog id="keys" aria-labelledby="keys-title">
    <form method="dialog">
      <h2 id="keys-title">Keys</h2>
      <dl class="properties">
        ${keys.map(
          ([key, what]) =>
            html`<div>
              <dt><kbd>${key}</kbd></dt>
              <dd>${what}</dd>
            </div>`,
        )}
      </dl>
      <button>Close</button>
    </form>
  </dialog>`;
}

function showShortcuts(): void {
  document.querySelector<HTMLDialogElement>('#keys')?.showModal();
}

function setQuery(next: RouteQuery): void {
  query = next;
  route = { view: 'vms', query };
  ui.viewport.top = 0;
  history.replaceState(null, '', vmsHash(next));
  drawNow();
  document.querySelector('#vms')?.scrollTo({ top: 0 });
}

const changeActions = {
  toggle: ({ key }: { readonly key: string }) => {
    toggleIn(ui.unfolded, key);
  },
  hold: (at: string | undefined) => {
    if (ui.heldAt !== undefined && at !== undefined) return;
    ui.heldAt = at;
    drawNow();
  },
  reveal: (key: string) => {
    toggleIn(ui.revealed, key);
  },
};

function toggleIn(set: Set<string>, key: string): void {
  if (!set.delete(key)) set.add(key);
  drawNow();
}

const tableActions = {
  search: (search: string) => {
    setQuery({ ...query, search });
  },
  choose: (facet: keyof RouteQuery, value: string | undefined) => {
    const { [facet]: _, ...rest } = query;
    setQuery({ ...rest, ...(value !== undefined && { [facet]: value }) } as RouteQuery);
  },
  sort: (sort: string) => {
    setQuery({ ...query, sort });
  },
  open: ({ key }: Row) => {
    ui.cursor = key;
    location.hash = vmHash(key);
  },
  moveTo: (row: Row | undefined) => {
    if (row === undefined) return;
    ui.cursor = row.key;
    const scroller = document.querySelector('#vms');
    if (scroller !== null) scrollTo(scroller, selected().rows.indexOf(row));
    drawNow();
  },
  scrolled: (scroller: HTMLElement) => {
    ui.viewport.top = scroller.scrollTop;
    drawNow();
  },
};

/** Scrolls just enough to bring a row into view, below the fixed header. */
function scrollTo(scroller: Element, index: number): void {
  const height = rowHeight(ui);
  const top = index * height;
  const room = ui.viewport.height - (ui.isNarrow ? 0 : height);
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + height > scroller.scrollTop + room) scroller.scrollTop = top + height - room;
}

function onRoute(): void {
  const before = route;
  route = parseRoute(location.hash);
  if (route.view === 'vms') query = route.query;
  ui.heldAt = undefined;
  model.fullStatus = route.view === 'health';
  if (model.fullStatus) void model.refreshStatus();
  if (route.view === 'vm') void model.readPast(model.find(route.id)?.key ?? route.id);
  draw();
  if (route.view === before.view && route.view !== 'vm') return;
  // Move the focus along, for readers with a screen reader or keyboard.
  if (route.view === 'vms') {
    const table = document.querySelector<HTMLElement>('#vms');
    table?.focus({ preventScroll: true });
    table?.scrollTo({ top: ui.viewport.top });
  } else {
    document.querySelector('main')?.scrollTo({ top: 0 });
    document.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
  }
}

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const target = event.target as HTMLElement;
  const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
  if (event.key === 'Escape' && !target.closest('dialog')) {
    if (route.view !== 'vms') location.hash = vmsHash(query);
    else if (query.search !== '') setQuery({ ...query, search: '' });
    if (route.view === 'vms') document.querySelector<HTMLElement>('#vms')?.focus();
  } else if (isTyping) {
    if (event.key !== 'ArrowDown' && event.key !== 'Enter') return;
    if (target.id !== 'search') return;
    document.querySelector<HTMLElement>('#vms')?.focus();
    tableActions.moveTo(selected().rows[0]);
  } else if (event.key === '/') {
    if (route.view !== 'vms') {
      location.hash = vmsHash(query);
      onRoute();
    }
    // At once: the next characters typed must not be taken as shortcuts.
    document.querySelector<HTMLInputElement>('#search')?.focus();
  } else if (event.key === '?') showShortcuts();
  else if (event.key === 'h') location.hash = '#/health';
  else if (event.key === 'c') location.hash = '#/changes';
  else return;
  event.preventDefault();
}

const narrow = matchMedia('(max-width: 720px)');
function onResize(): void {
  ui.isNarrow = narrow.matches;
  // The window's height, not the table's: a few extra rows cost less than measuring the document.
  ui.viewport.height = window.innerHeight;
  drawNow();
}

window.addEventListener('hashchange', onRoute);
window.addEventListener('resize', onResize);
document.addEventListener('keydown', onKey);
// Updates ages, and marks that end.
setInterval(
  () => {
    if (document.visibilityState === 'visible') drawSoon();
  },
  Math.min(1_000, markedMs),
);
onResize();
onRoute();
