/** The answer of `/changes`: recent events, newest first. Pure. */
import { describeChanges, describeEvent, type DescribeOptions, type Happening } from './describe.js';
import type { VmCreateEvent, VmDeleteEvent, VmModifyEvent } from './event.js';
import type { VmObject } from './vm-object.js';

/** A past event. It has the VM only if that was asked for, but always the VM's name. */
export type PastEvent = (
  Omit<VmCreateEvent, 'vm' | 'seq'> | Omit<VmModifyEvent, 'vm' | 'seq'> | Omit<VmDeleteEvent, 'seq'>
) & {
  readonly seq: number;
  /** The alias of the VM after the event, or before a delete. Absent when it has none. */
  readonly alias?: string;
  /** The VM after the event; never in a `delete`. */
  readonly vm?: VmObject;
};

/** The answer. */
export interface PastEvents {
  /** A UUID per start of the daemon: `seq` counts within it. */
  readonly instance: string;
  /** The `seq` of the latest event. */
  readonly seq: number;
  /** How far back the daemon's memory reaches: the oldest event that it still has; null when it has none. */
  readonly oldest: { readonly seq: number; readonly date: string } | null;
  /** Whether these are all events since the daemon started. */
  readonly complete: boolean;
  /** `before` for the next answer; null when nothing older is left. */
  readonly next: number | null;
  /** The newest first. */
  readonly events: readonly PastEvent[];
}

/** The entries of a past event; empty when all its changes merely follow from others. */
export function describePastEvent(event: PastEvent, options: DescribeOptions = {}): readonly Happening[] {
  const { vm } = event;
  if (event.type === 'modify') {
    return describeChanges(event.changes, { ...options, ...(vm !== undefined && { vm }) });
  }
  if (event.type === 'delete') return describeEvent(event, options);
  if (vm !== undefined) return describeEvent({ ...event, vm }, options);
  return [{ text: 'created', kind: 'created', follows: false }];
}
