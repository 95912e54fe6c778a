/** Above the table: the search, and the filters as chips that also count. */
import { html, nothing, type TemplateResult } from '/page/lit-html/lit-html.js';
import type { Facet, RouteQuery } from './route.js';
import { sortKeys, type Selected } from './rows.js';

export interface ToolbarActions {
  readonly search: (text: string) => void;
  /** Chooses a value of a facet, or (`undefined`) any. */
  readonly choose: (facet: Facet, value: string | undefined) => void;
  readonly sort: (by: string) => void;
}

export function toolbar(
  { rows, counts, problem }: Selected,
  query: RouteQuery,
  total: number,
  actions: ToolbarActions,
): TemplateResult {
  return html`
    <div class="toolbar" role="search">
      <input
        id="search"
        type="search"
        placeholder="Search, or a condition: ram>=2g"
        aria-label="Search VMs: words, or conditions such as ram>=2g"
        aria-keyshortcuts="/"
        aria-invalid=${problem === undefined ? nothing : 'true'}
        aria-describedby=${problem === undefined ? nothing : 'problem'}
        autocomplete="off"
        spellcheck="false"
        .value=${query.search}
        @input=${({ currentTarget }: Event) => {
          actions.search((currentTarget as HTMLInputElement).value);
        }}
      />
      <div class="choices">
        ${choice('owner', 'Owner', counts, query, actions)}
        ${choice('package', 'Package', counts, query, actions)}
        <label class="choice narrow-only">
          <span>Sort</span>
          <select
            @change=${({ currentTarget }: Event) => {
              actions.sort((currentTarget as HTMLSelectElement).value);
            }}
          >
            ${Object.keys(sortKeys).map(
              (id) =>
                html`<option value=${id} ?selected=${query.sort.replace('-', '') === id}>${id}</option>`,
            )}
          </select>
        </label>
      </div>
      <div class="chips">
        ${chips('state', counts, query, actions)} ${chips('brand', counts, query, actions)}
      </div>
      <p class="count" aria-live="polite">
        ${
          problem === undefined
            ? rows.length === total
              ? `${total} VMs`
              : `${rows.length} of ${total} VMs`
            : html`<span id="problem" class="bad">${problem}</span>`
        }
      </p>
    </div>
  `;
}

function chips(
  facet: Facet,
  counts: Selected['counts'],
  query: RouteQuery,
  actions: ToolbarActions,
): TemplateResult {
  const chosen = query[facet];
  const values = new Map(counts[facet]);
  if (chosen !== undefined && !values.has(chosen)) values.set(chosen, 0);
  return html`<div class="chip-group" role="group" aria-label=${facet}>
    ${[...values]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([value, count]) =>
          html`<button
            type="button"
            class="chip"
            data-state=${facet === 'state' ? value : nothing}
            aria-pressed=${value === chosen ? 'true' : 'false'}
            @click=${() => {
              actions.choose(facet, value === chosen ? undefined : value);
            }}
          >
            ${value} <b>${count}</b>
          </button>`,
      )}
  </div>`;
}

function choice(
  facet: Facet,
  title: string,
  counts: Selected['counts'],
  query: RouteQuery,
  actions: ToolbarActions,
): TemplateResult {
  const chosen = query[facet];
  const values = [...counts[facet]].sort(([, a], [, b]) => b - a);
  return html`<label class="choice" data-chosen=${chosen === undefined ? nothing : 'true'}>
    <span>${title}</span>
    <select
      @change=${({ currentTarget }: Event) => {
        const { value } = currentTarget as HTMLSelectElement;
        actions.choose(facet, value === '' ? undefined : value);
      }}
    >
      <option value="" ?selected=${chosen === undefined}>any</option>
      ${
        chosen !== undefined && !counts[facet].has(chosen)
          ? html`<option value=${chosen} selected>${chosen}</option>`
          : nothing
      }
      ${values.map(
        ([value, count]) =>
          html`<option value=${value} ?selected=${value === chosen}>${value} (${count})</option>`,
      )}
    </select>
  </label>`;
}
