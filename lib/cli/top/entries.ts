/** Turns events into entries for the list of latest changes. Pure. */
import { describeEvent } from '../../vm/describe.js';
import type { VmEvent } from '../../vm/event.js';
import { describePastEvent, type PastEvent } from '../../vm/past-events.js';
import { vmKey } from '../../vm/vm-key.js';
import type { VmObject } from '../../vm/vm-object.js';
import { aliasOf } from './columns.js';
import type { ChangeRow } from './model.js';

/** The entries of an event in the order to read them, `known` being the VM before it. Secrets are masked. */
export function entriesOf(event: VmEvent, known: VmObject | undefined): readonly ChangeRow[] {
  const { date } = event;
  const alias = aliasOf(event.type === 'delete' ? (known ?? { uuid: event.uuid }) : event.vm);
  return describeEvent(event).map(({ kind, text }) => ({
    at: Date.parse(date),
    key: vmKey(event),
    alias,
    kind,
    text,
  }));
}

/** The same for a past event. */
export function pastEntriesOf(event: PastEvent): readonly ChangeRow[] {
  const { date, uuid, alias } = event;
  return describePastEvent(event).map(({ kind, text }) => ({
    at: Date.parse(date),
    key: vmKey(event),
    alias: aliasOf({ uuid, ...(alias !== undefined && { alias }) }),
    kind,
    text,
  }));
}
