/** The daemon's health, from `/status`: first what is wrong and what to do about it. */
import { html, nothing, type TemplateResult } from '/page/lit-html/lit-html.js';
import { diagnose, type Trouble } from '../../client/diagnose.js';
import { errorText, type Status } from '../../client/status.js';
import { sizeText } from '../../vm/units.js';
import { spanText } from '../../vm/span.js';
import { clockText } from './format.js';
import type { PageModel } from './model.js';
import { vmHash } from './route.js';

/** The problems, the gravest first; empty until the status is known. */
export function troublesOf({ status }: PageModel): readonly Trouble[] {
  return status === undefined ? [] : diagnose(status);
}

export function healthPage(model: PageModel): TemplateResult {
  const { status } = model;
  if (status === undefined) return html`<p class="empty">Asking for vminfod's status …</p>`;
  const troubles = diagnose(status);
  return html`<article class="health" aria-labelledby="health-title">
    <header>
      <a class="back" href="#/">← All VMs</a>
      <h1 id="health-title" tabindex="-1">Health</h1>
      <span class="sub">as of ${clockText(status.curDate)}</span>
    </header>
    <div class="cards">
      <section class="card wide" data-kind="troubles">
        <h2>
          ${troubles.length === 0 ? 'vminfod is well' : troubles.length === 1 ? '1 trouble' : `${troubles.length} troubles`}
        </h2>
        ${
          troubles.length === 0
            ? html`<p>All sources run, every zone can be read, and no change came without its event.</p>`
            : html`<ul class="troubles">
                ${troubles.map(({ what, advice }) => html`<li><b>${what}</b><span>${advice}</span></li>`)}
              </ul>`
        }
      </section>
      ${daemonCard(status)} ${sourcesCard(status)} ${loadErrorsCard(status)} ${rescansCard(status)}
      ${listenersCard(status)}
    </div>
  </article>`;
}

function daemonCard(status: Status): TemplateResult {
  const upSeconds = Number.parseFloat(status.uptime);
  const facts: readonly (readonly [string, unknown])[] = [
    ['state', `${status.state}, ${status.status}`],
    ['VMs', status.numVms],
    ['up', Number.isNaN(upSeconds) ? status.uptime : spanText(upSeconds * 1000)],
    ['memory', sizeText(Math.round((status.memory['rss'] ?? 0) / 2 ** 20), 'MiB')],
    [
      'last rescan',
      status.lastRefresh ? `${spanText(Number.parseFloat(status.lastRefresh) * 1000)} ago` : 'none yet',
    ],
    ['every', status.rescanIntervalMs === undefined ? undefined : spanText(status.rescanIntervalMs)],
    ['process', status.pid],
  ];
  return html`<section class="card" data-kind="daemon">
    <h2>Daemon</h2>
    <dl class="properties">
      ${facts
        .filter(([, value]) => value !== undefined)
        .map(
          ([name, value]) =>
            html`<div>
              <dt>${name}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
    </dl>
  </section>`;
}

function sourcesCard({ sources = [], missed = {} }: Status): TemplateResult {
  return html`<section class="card" data-kind="sources">
    <h2>Sources of events</h2>
    <dl class="properties">
      ${sources.map(
        ({ name, state, events, restarts, since, lastError }) =>
          html`<div>
            <dt>${name}</dt>
            <dd>
              <span class="state" data-state=${state}>${state}</span> since ${clockText(since)}, ${events}
              events, ${restarts} restarts${missed[name] ? `, ${missed[name]} missed` : ''}
              ${state !== 'running' && lastError ? html`<br />${lastError.message}` : nothing}
            </dd>
          </div>`,
      )}
    </dl>
  </section>`;
}

function loadErrorsCard({ loadErrors = [] }: Status): TemplateResult {
  return html`<section class="card" data-kind="load-errors">
    <h2>What cannot be read</h2>
    ${
      loadErrors.length === 0
        ? html`<p>Nothing: every zone is as it is on the host.</p>`
        : html`<ul class="troubles">
            ${loadErrors.map(
              ({ zone, input, error, since, nextRetry }) =>
                html`<li>
                  <b><a href=${vmHash(zone)}>${zone}</a>: ${input}</b>
                  <span
                    >${error} (since
                    ${clockText(since)}${nextRetry === undefined ? '' : `, tried again at ${clockText(nextRetry)}`})</span
                  >
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}

function rescansCard({ refreshErrors, refreshLog = [] }: Status): TemplateResult {
  const rescans = refreshLog as readonly {
    readonly reason: string;
    readonly ended: string;
    readonly took: string;
    readonly vmChanges: readonly unknown[];
  }[];
  return html`<section class="card" data-kind="rescans">
    <h2>Rescans</h2>
    <dl class="properties">
      ${[...rescans].reverse().map(
        ({ reason, ended, took, vmChanges }) =>
          html`<div>
            <dt>${clockText(ended)}</dt>
            <dd>
              ${reason}, took ${Math.round(Number.parseFloat(took) * 1000)} ms, found
              ${vmChanges.length === 0 ? 'nothing new' : `${vmChanges.length} changes`}
            </dd>
          </div>`,
      )}
    </dl>
    ${refreshErrors.map(({ err, ago }) => html`<p class="bad">failed ${ago} ago: ${errorText(err)}</p>`)}
  </section>`;
}

function listenersCard({ eventsListeners }: Status): TemplateResult {
  return html`<section class="card" data-kind="listeners">
    <h2>Who listens</h2>
    <dl class="properties">
      ${Object.values(eventsListeners).map(
        ({ userAgent, createdDate }) =>
          html`<div>
            <dt>${createdDate === undefined ? '' : clockText(createdDate)}</dt>
            <dd>${userAgent ?? 'unknown'}</dd>
          </div>`,
      )}
    </dl>
  </section>`;
}
