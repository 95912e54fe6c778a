/** The list of changes: one line each, which unfolds to old and new values. */
import { html, nothing, type TemplateResult } from '/page/lit-html/lit-html.js';
import { repeat } from '/page/lit-html/directives/repeat.js';
import type { Change } from '../../vm/diff.js';
import type { JsonValue } from '../../vm/json.js';
import { maskChange } from '../../vm/secrets.js';
import { clockText } from './format.js';
import type { ChangeEntry, PageModel } from './model.js';
import { vmHash } from './route.js';
import type { Ui } from './ui.js';

export interface ChangesActions {
  readonly toggle: (entry: ChangeEntry) => void;
  /** Holds the list at older entries, or (`undefined`) returns to the newest. */
  readonly hold: (at: string | undefined) => void;
}

/** Lines in the document: more than anyone reads at a time. */
const maxShown = 100;

export interface ChangeListOptions {
  readonly entries: readonly ChangeEntry[];
  readonly model: PageModel;
  readonly ui: Ui;
  readonly actions: ChangesActions;
  /** The list is of one VM, so lines do not name it. */
  readonly ofOne?: boolean;
}

export function changeList({
  entries,
  model,
  ui,
  actions,
  ofOne = false,
}: ChangeListOptions): TemplateResult {
  const visible = entries.filter(({ happenings }) => happenings.length > 0);
  const held = ui.heldAt === undefined || ofOne ? 0 : visible.findIndex(({ key }) => key === ui.heldAt);
  const from = Math.max(0, held);
  const shown = visible.slice(from, from + maxShown);
  return html`
    <div class="news">
      ${
        from > 0
          ? html`<button
              type="button"
              @click=${() => {
                actions.hold(undefined);
              }}
            >
              ${from === 1 ? '1 newer change' : `${from} newer changes`}
            </button>`
          : nothing
      }
    </div>
    <ol
      class="entries"
      tabindex="0"
      aria-label="Changes, the newest first"
      @mouseenter=${() => {
        if (!ofOne) actions.hold(shown[0]?.key);
      }}
      @mouseleave=${({ currentTarget }: Event) => {
        if (!ofOne && (currentTarget as HTMLElement).scrollTop === 0) actions.hold(undefined);
      }}
      @scroll=${({ currentTarget }: Event) => {
        if (!ofOne) actions.hold((currentTarget as HTMLElement).scrollTop === 0 ? undefined : shown[0]?.key);
      }}
    >
      ${repeat(
        shown,
        ({ key }) => key,
        (entry) => entryLine(entry, ui, actions, ofOne),
      )}
      <li class="reach">${reachText(model, visible.length, shown.length, ofOne)}</li>
    </ol>
  `;
}

/** How far back the list goes. */
function reachText({ reach, loaded }: PageModel, count: number, shown: number, ofOne: boolean): string {
  if (!loaded) return '';
  if (count > shown) return `${count - shown} older ones are not shown`;
  if (count === 0 && (reach === undefined || reach.complete)) {
    return `Nothing has happened${ofOne ? ' to it' : ''} since vminfod started.`;
  }
  return reach === undefined || reach.complete
    ? 'That is all since vminfod started.'
    : `What happened before ${clockText(reach.date)} is no longer kept.`;
}

function entryLine(entry: ChangeEntry, ui: Ui, actions: ChangesActions, ofOne: boolean): TemplateResult {
  const isOpen = ui.unfolded.has(entry.key);
  const kind = entry.happenings[0]?.kind ?? 'changed';
  return html`<li class="entry" data-kind=${kind}>
    <button
      type="button"
      class="line"
      aria-expanded=${isOpen ? 'true' : 'false'}
      @click=${() => {
        actions.toggle(entry);
      }}
    >
      <time datetime=${entry.date} title=${entry.date}>${clockText(entry.date)}</time>
      ${ofOne ? nothing : html`<b>${entry.alias}</b>`}
      <span>${entry.happenings.map(({ text }) => text).join(', ')}</span>
    </button>
    ${isOpen ? details(entry) : nothing}
  </li>`;
}

function details({ changes, zonename, type, seq, date }: ChangeEntry): TemplateResult {
  const told = seq === undefined ? 'found by comparing, after a restart of vminfod' : `change ${seq}`;
  return html`<div class="details">
    <p>
      <a href=${vmHash(zonename)}>${zonename}</a>
      <span>${type}, ${told}, ${date}</span>
    </p>
    ${changes.map((change) => changeDetails(maskChange(change)))}
  </div>`;
}

function changeDetails({ prettyPath, ident, oldValue, newValue }: Change): TemplateResult {
  return html`<dl class="change">
    <dt>${prettyPath}${ident === undefined ? nothing : html` <small>${ident}</small>`}</dt>
    ${oldValue === undefined ? nothing : html`<dd class="old">${json(oldValue)}</dd>`}
    ${newValue === undefined ? nothing : html`<dd class="new">${json(newValue)}</dd>`}
  </dl>`;
}

function json(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 1);
}
