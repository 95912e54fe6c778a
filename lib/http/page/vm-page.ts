/** One VM: all that is known of it, grouped, and what happened to it. Secrets are shown only when they are asked for. */
import { html, nothing, type TemplateResult } from '/page/lit-html/lit-html.js';
import type { JsonValue } from '../../vm/json.js';
import { isSecret, mask } from '../../vm/secrets.js';
import { sizeText } from '../../vm/units.js';
import { nearlyFull } from '../../vm/usage.js';
import type { Disk, Nic, VmObject } from '../../vm/vm-object.js';
import { clockText } from './format.js';
import { changeList, type ChangesActions } from './changes.js';
import type { PageModel } from './model.js';
import { groupsOf, propertyText, type Group, type Property } from './properties.js';
import type { Row } from './rows.js';
import { stateBadge } from './table.js';
import { usagesOf, type Usage } from './usage.js';
import type { Ui } from './ui.js';

export interface VmPageActions extends ChangesActions {
  /** Shows a secret, or hides it again. */
  readonly reveal: (key: string) => void;
}

export function vmPage(
  row: Row | undefined,
  id: string,
  model: PageModel,
  ui: Ui,
  actions: VmPageActions,
): TemplateResult {
  if (row === undefined) return gone(id, model, ui, actions);
  const { vm } = row;
  const all = groupsOf(vm);
  const groups = all.filter(({ title }) => title !== 'More');
  const more = all.filter(({ title }) => title === 'More');
  return html`
    <article class="vm" aria-labelledby="vm-name">
      <header>
        <a class="back" href="#/">← All VMs</a>
        <h1 id="vm-name" tabindex="-1">${row.alias}</h1>
        ${stateBadge(row.state)}
        <span class="sub"
          >${row.brand}${row.ram ? `, ${sizeText(row.ram, 'MiB')}` : ''}${row.ip ? `, ${row.ip}` : ''}</span
        >
        <a class="raw" href=${`/vms/${encodeURIComponent(vm.zonename)}`} target="_blank" rel="noopener"
          >JSON</a
        >
      </header>
      <div class="columns">
        <div class="cards">
          ${groups.map((group) => groupCard(group, vm, model, ui, actions))}
          ${vm.snapshots && vm.snapshots.length > 0 ? card('Snapshots', snapshots(vm), 'Snapshots') : nothing}
          ${(['tags', 'customer_metadata', 'internal_metadata'] as const).map((name) => {
            const members = Object.entries(vm[name]);
            return members.length === 0
              ? nothing
              : card(
                  name,
                  list(
                    members.map(([key, value]) => ({ name: key, value: value ?? null })),
                    vm,
                    ui,
                    actions,
                    name,
                  ),
                  'Metadata',
                );
          })}
          ${more.map((group) => groupCard(group, vm, model, ui, actions))}
        </div>
        <section class="history" aria-label="Changes of this VM">
          <h2>What happened</h2>
          ${changeList({ entries: model.entriesOf(vm.zonename), model, ui, actions, ofOne: true })}
        </section>
      </div>
    </article>
  `;
}

function groupCard(
  { title, properties }: Group,
  vm: VmObject,
  model: PageModel,
  ui: Ui,
  actions: VmPageActions,
): TemplateResult {
  const first =
    title === 'Storage' ? storage(vm, model) : title === 'Network' ? vm.nics.map(nicCard) : nothing;
  return card(title, html`${first}${list(properties, vm, ui, actions)}`, title);
}

function gone(id: string, model: PageModel, ui: Ui, actions: ChangesActions): TemplateResult {
  const entries = model.entriesOf(id);
  return html`<article class="vm">
    <header>
      <a class="back" href="#/">← All VMs</a>
      <h1 id="vm-name" tabindex="-1">${id}</h1>
    </header>
    <p class="empty">${model.loaded ? 'There is no such VM.' : 'Loading …'}</p>
    ${
      entries.length > 0
        ? html`<section class="history" aria-label="Changes of this VM">
            <h2>What happened</h2>
            ${changeList({ entries, model, ui, actions, ofOne: true })}
          </section>`
        : nothing
    }
  </article>`;
}

function card(title: string, content: unknown, kind: string): TemplateResult {
  return html`<section class="card" data-kind=${kind.toLowerCase()}>
    <h2>${title}</h2>
    ${content}
  </section>`;
}

/** Names and values. `below` is the property that they are members of. */
function list(
  properties: readonly Property[],
  vm: VmObject,
  ui: Ui,
  actions: VmPageActions,
  below?: string,
): TemplateResult {
  return html`<dl class="properties">
    ${properties.map(({ name, value }) => {
      const path = below === undefined ? [name] : [below, name];
      return html`<div>
        <dt>${name}</dt>
        <dd>
          ${isSecret(path) ? secret(`${vm.zonename} ${path.join('.')}`, name, value, ui, actions) : valueText(name, value)}
        </dd>
      </div>`;
    })}
  </dl>`;
}

function secret(key: string, name: string, value: JsonValue, ui: Ui, actions: VmPageActions): TemplateResult {
  const isShown = ui.revealed.has(key);
  return html`<span class="secret">
    ${isShown ? html`<span class="revealed">${valueText(name, value)}</span>` : html`<span aria-hidden="true">${mask}</span>`}
    <button
      type="button"
      aria-pressed=${isShown ? 'true' : 'false'}
      aria-label=${`${isShown ? 'Hide' : 'Show'} ${name}`}
      @click=${() => {
        actions.reveal(key);
      }}
    >
      ${isShown ? 'hide' : 'show'}
    </button>
  </span>`;
}

function valueText(name: string, value: JsonValue): unknown {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) {
    return html`<time datetime=${value} title=${value}>${clockText(value)}</time>`;
  }
  return html`<span class="text">${propertyText(name, value)}</span>`;
}

function storage(vm: VmObject, { usage }: PageModel): TemplateResult {
  return html`${usagesOf(vm, usage[vm.zonename]).map(bar)}${(vm.disks ?? []).map(diskLine)}${(
    vm.filesystems ?? []
  ).map(({ source, target }) => html`<p class="disk"><b>${target}</b> <span>from ${source}</span></p>`)}`;
}

function bar({ title, usedMiB, ofMiB, by }: Usage): TemplateResult {
  const percent = Math.min(100, Math.max(0, (usedMiB / ofMiB) * 100));
  const text = `${sizeText(Math.round(usedMiB), 'MiB')} of ${sizeText(ofMiB, 'MiB')}`;
  return html`<div class="bar">
    <p><b>${title}</b> <span>${text}: ${by}</span></p>
    <div
      role="meter"
      aria-label=${`${title}: ${by}`}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${Math.round(percent)}
      aria-valuetext=${text}
    >
      <i .style=${`width: ${percent}%`} data-full=${percent >= nearlyFull * 100 ? 'true' : nothing}></i>
    </div>
  </div>`;
}

function diskLine({ path, size, zfs_filesystem: dataset, boot, missing, media }: Disk): TemplateResult {
  return html`<p class="disk">
    <b>${path?.split('/').at(-1) ?? dataset ?? 'disk'}</b>
    <span
      >${[
        size === undefined ? undefined : sizeText(size, 'MiB'),
        boot === true ? 'boot' : undefined,
        media,
        missing ? 'missing' : undefined,
        dataset,
      ]
        .filter((part) => part !== undefined)
        .join(', ')}</span
    >
  </p>`;
}

function nicCard(nic: Nic): TemplateResult {
  const {
    interface: name,
    ip,
    ips,
    mac,
    netmask,
    gateway,
    gateways,
    nic_tag: tag,
    vlan_id: vlan,
    primary,
    model,
    mtu,
  } = nic;
  const facts: readonly (readonly [string, unknown])[] = [
    ['address', ips?.join(', ') ?? ip],
    ['netmask', netmask],
    ['gateway', gateways?.join(', ') ?? gateway],
    ['mac', mac],
    ['tag', tag],
    ['vlan', vlan],
    ['mtu', mtu],
    ['model', model],
    ['network', nic.network_uuid],
  ];
  return html`<div class="nic">
    <p>
      <b>${name ?? mac}</b> ${primary === true ? html`<span class="tag">primary</span>` : nothing}<strong
        >${ip}</strong
      >
    </p>
    <dl class="properties">
      ${facts
        .filter(([, value]) => value !== undefined)
        .map(
          ([label, value]) =>
            html`<div>
              <dt>${label}</dt>
              <dd>${value}</dd>
            </div>`,
        )}
    </dl>
  </div>`;
}

function snapshots({ snapshots = [] }: VmObject): TemplateResult {
  return html`<dl class="properties">
    ${snapshots.map(
      ({ name, size, created_at: created }) =>
        html`<div>
          <dt>${name}</dt>
          <dd>
            ${sizeText(size, 'MiB')}${created === undefined ? nothing : html`, <time datetime=${created} title=${created}>${clockText(created)}</time>`}
          </dd>
        </div>`,
    )}
  </dl>`;
}
