/** What the page knows: the VMs, their changes, the daemon's health. The page is redrawn whenever this changes. */
import { usageIntervalMs } from '../../config.js';
import type { StreamEvent } from '../../client/events.js';
import type { Status } from '../../client/status.js';
import type { Change } from '../../vm/diff.js';
import type { Happening } from '../../vm/describe.js';
import type { VmEvent } from '../../vm/event.js';
import { describePastEvent, type PastEvent, type PastEvents } from '../../vm/past-events.js';
import type { UsageReport } from '../../vm/usage.js';
import type { VmObject } from '../../vm/vm-object.js';
import { EventsConnection, type ConnectionState, type Reconnection } from './connection.js';
import { rowOf, type Row } from './rows.js';

/** Something that happened to a VM, as a line of the list of changes. */
export interface ChangeEntry {
  readonly key: string;
  /** Absent when it was found by comparing after a restart of the daemon. */
  readonly seq: number | undefined;
  readonly date: string;
  readonly type: VmEvent['type'];
  readonly zonename: string;
  readonly alias: string;
  readonly changes: readonly Change[];
  /** Secrets are masked. */
  readonly happenings: readonly Happening[];
}

/** Entries kept for scrolling. */
const maxEntries = 1_000;
const maxEntriesOfVm = 200;
const pastLimit = 200;
const statusIntervalMs = 5_000;

export class PageModel {
  readonly rows = new Map<string, Row>();
  /** The newest first. */
  entries: readonly ChangeEntry[] = [];
  /** Since when there are entries; `undefined` until it is known. */
  reach: { readonly date: string; readonly complete: boolean } | undefined;
  connection: ConnectionState = { state: 'connecting' };
  /** How the stream last came back. */
  lastReconnection: Reconnection = 'first';
  /** Until the first snapshot there is nothing to show. */
  loaded = false;
  status: Status | undefined;
  /** What VMs have used of their disk space, by zonename; empty until it is known. */
  usage: UsageReport['vms'] = {};
  /** Whether `/status` is asked for all it has. */
  fullStatus = false;
  /** Grows with every change of `rows`, `entries` or `usage`. */
  version = 0;
  readonly #changed: () => void;
  readonly #connection: EventsConnection;
  #instance = '';
  #entryKeys = new Set<string>();
  #found = 0;

  /** @param changed Called after each change of what is known. */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.#connection = new EventsConnection({
      onEvents: (events) => {
        this.#take(events);
      },
      onReady: (how, instance) => {
        this.#instance = instance;
        this.lastReconnection = how;
        if (how !== 'resumed') void this.readPast();
      },
      onState: (state) => {
        this.connection = state;
        void this.refreshStatus();
        this.#changed();
      },
    });
    const whenVisible = (refresh: () => Promise<void>) => () => {
      if (document.visibilityState === 'visible') void refresh();
    };
    const refreshStatus = whenVisible(() => this.refreshStatus());
    const refreshUsage = whenVisible(() => this.#refreshUsage());
    setInterval(refreshStatus, statusIntervalMs);
    setInterval(refreshUsage, usageIntervalMs);
    for (const refresh of [refreshStatus, refreshUsage]) {
      document.addEventListener('visibilitychange', refresh);
      refresh();
    }
    window.addEventListener('online', () => {
      this.retryNow();
    });
  }

  retryNow(): void {
    this.#connection.retryNow();
  }

  /** A VM by its name in an address. */
  find(id: string): Row | undefined {
    const row = this.rows.get(id);
    if (row !== undefined) return row;
    return [...this.rows.values()].find(({ vm, alias }) => vm.uuid === id || alias === id);
  }

  async refreshStatus(): Promise<void> {
    const answer = await ask<Status>(this.fullStatus ? '/status?full=true' : '/status');
    if (answer === undefined) return;
    this.status = answer;
    this.#changed();
  }

  async #refreshUsage(): Promise<void> {
    const answer = await ask<UsageReport>('/usage');
    if (answer === undefined) return;
    this.usage = answer.vms;
    for (const { vm, changed } of this.rows.values()) this.#put(vm, changed);
    this.version++;
    this.#changed();
  }

  /** Adds events from before the page was opened, of one VM or of all. */
  async readPast(zonename?: string): Promise<void> {
    const query = new URLSearchParams({
      limit: String(pastLimit),
      ...(zonename !== undefined && { zonename }),
    });
    const past = await ask<PastEvents>(`/changes?${query.toString()}`);
    if (past === undefined) return;
    this.reach = past.oldest === null ? undefined : { date: past.oldest.date, complete: past.complete };
    this.#add(past.events.map((event) => this.#entryOf(event, past.instance)));
    for (const { zonename: name, happenings, date } of [...this.entries].reverse())
      this.#mark(name, date, happenings);
    this.#changed();
  }

  #take(events: readonly StreamEvent[]): void {
    if (events.length === 0) return;
    this.version++;
    for (const event of events) {
      if (event.type === 'ready') {
        this.rows.clear();
        for (const vm of event.vms) this.#put(vm, undefined);
        this.loaded = true;
      } else this.#apply(event);
    }
    this.#changed();
  }

  #apply(event: VmEvent): void {
    const entry = this.#entryOf(event);
    this.#add([entry]);
    if (event.type === 'delete') this.rows.delete(event.zonename);
    else {
      const text = textOf(entry.happenings);
      const before = this.rows.get(event.zonename)?.changed;
      this.#put(event.vm, text === '' ? before : { at: Date.parse(event.date), text, seenAt: Date.now() });
    }
  }

  #put(vm: VmObject, changed: Row['changed']): void {
    this.rows.set(vm.zonename, rowOf(vm, changed, this.usage[vm.zonename]));
  }

  /** What a row last saw, from what happened before the page was opened. */
  #mark(zonename: string, date: string, happenings: readonly Happening[]): void {
    const row = this.rows.get(zonename);
    const text = textOf(happenings);
    const at = Date.parse(date);
    if (row === undefined || text === '' || (row.changed?.at ?? 0) > at) return;
    this.rows.set(zonename, { ...row, changed: { at, text, seenAt: 0 } });
  }

  #entryOf(event: VmEvent | PastEvent, instance = this.#instance): ChangeEntry {
    const { date, zonename, type, seq } = event;
    const vm: VmObject | undefined = 'vm' in event ? event.vm : undefined;
    const own = 'alias' in event ? event.alias : vm?.alias;
    const alias = own ?? this.rows.get(zonename)?.alias ?? zonename;
    return {
      key: seq === undefined ? `found:${this.#found++}` : `${instance}:${seq}`,
      seq,
      date,
      type,
      zonename,
      alias: alias === '' ? zonename : alias,
      changes: event.type === 'modify' ? event.changes : [],
      // A past event may have no VM, and both kinds are described alike.
      happenings: describePastEvent(event as PastEvent),
    };
  }

  #add(entries: readonly ChangeEntry[]): void {
    const fresh = entries.filter(({ key }) => !this.#entryKeys.has(key));
    if (fresh.length === 0) return;
    for (const { key } of fresh) this.#entryKeys.add(key);
    const all = [...fresh, ...this.entries];
    if (fresh.length > 1)
      all.sort((a, b) => (a.date < b.date ? 1 : a.date > b.date ? -1 : (b.seq ?? 0) - (a.seq ?? 0)));
    for (const { key } of all.splice(maxEntries)) this.#entryKeys.delete(key);
    this.entries = all;
    this.version++;
  }

  /** What happened to one VM, the newest first. */
  entriesOf(zonename: string): readonly ChangeEntry[] {
    return this.entries.filter((entry) => entry.zonename === zonename).slice(0, maxEntriesOfVm);
  }
}

/** What the daemon answers; nothing when it refuses, or when the connection is lost: the page says so elsewhere. */
async function ask<T>(path: string): Promise<T | undefined> {
  try {
    const answer = await fetch(path);
    return answer.ok ? ((await answer.json()) as T) : undefined;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

function textOf(happenings: readonly Happening[]): string {
  return happenings.map(({ text }) => text).join(', ');
}
