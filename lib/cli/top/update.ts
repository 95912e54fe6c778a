/** How the model changes: by what the stream tells, by time, by the terminal and by keys. Pure. */
import { top } from '../../config.js';
import type { Status } from '../../client/status.js';
import type { UsageReport } from '../../vm/usage.js';
import { vmKey } from '../../vm/vm-key.js';
import type { VmEvent } from '../../vm/event.js';
import type { PastEvent } from '../../vm/past-events.js';
import { entriesOf, pastEntriesOf } from './entries.js';
import { pressed, type Key } from './keys.js';
import type { ChangeRow, TopModel, Size } from './model.js';

export type Action =
  | { readonly type: 'events'; readonly events: readonly VmEvent[] }
  | { readonly type: 'status'; readonly answer: Status | undefined }
  | { readonly type: 'usage'; readonly usage: UsageReport['vms'] }
  | { readonly type: 'connected'; readonly note: string }
  | { readonly type: 'lost'; readonly note: string }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'key'; readonly key: Key }
  | { readonly type: 'tick' };

/** The model after an action at `now`. */
export function update(before: TopModel, action: Action, now: number): TopModel {
  const model = { ...before, now };
  switch (action.type) {
    case 'events':
      return withEvents(model, action.events);
    case 'status':
      return { ...model, status: action.answer && { answer: action.answer, at: now } };
    case 'usage':
      return { ...model, usage: action.usage };
    case 'connected':
      return { ...model, connection: { state: 'connected', since: now, note: action.note } };
    case 'lost':
      // The first loss counts: each attempt that fails tells of another.
      return model.connection.state === 'lost'
        ? model
        : { ...model, status: undefined, connection: { state: 'lost', since: now, note: action.note } };
    case 'resize':
      return { ...model, size: action.size };
    case 'key':
      return pressed(model, action.key);
    case 'tick':
      return { ...model, eventTimes: lastMinute(model.eventTimes, now) };
  }
}

/** A model that begins with recent events, newest first. */
export function withHistory(model: TopModel, past: readonly PastEvent[]): TopModel {
  const entries = past.flatMap((event) => pastEntriesOf(event).toReversed());
  // Of several the last wins, which is the newest, and of one event its first entry.
  const changed = past.toReversed().flatMap((event) => {
    const [entry] = pastEntriesOf(event);
    return entry && model.vms.has(entry.key) ? [[entry.key, entry] as const] : [];
  });
  const times = past.map(({ date }) => Date.parse(date)).reverse();
  return {
    ...model,
    entries: entries.slice(0, top.maxEntries),
    changed: new Map(changed),
    eventTimes: lastMinute(times, model.now),
  };
}

function withEvents(model: TopModel, events: readonly VmEvent[]): TopModel {
  const vms = new Map(model.vms);
  const changed = new Map(model.changed);
  let fresh: readonly ChangeRow[] = [];
  for (const event of events) {
    const key = vmKey(event);
    const entries = entriesOf(event, vms.get(key));
    fresh = [...entries.toReversed(), ...fresh];
    if (event.type === 'delete') {
      vms.delete(key);
      changed.delete(key);
    } else {
      vms.set(key, event.vm);
      const [entry] = entries;
      if (entry) changed.set(key, entry);
    }
  }
  return {
    ...model,
    vms,
    changed,
    entries: [...fresh, ...model.entries].slice(0, top.maxEntries),
    eventTimes: lastMinute([...model.eventTimes, ...events.map(() => model.now)], model.now),
  };
}

function lastMinute(times: readonly number[], now: number): readonly number[] {
  const first = times.findIndex((time) => time > now - 60_000);
  return first === -1 ? [] : times.slice(first);
}
