/** What `/changes` answers: what happened lately, the newest first. Pure. */
import { describeChanges, describeEvent, type DescribeOptions, type Happening } from './describe.js';
import type { VmCreateEvent, VmDeleteEvent, VmModifyEvent } from './event.js';
import type { VmObject } from './vm-object.js';

/** An event that is over. Its VM is in it only when it was asked for; what it is called always is. */
export type PastEvent = (
  Omit<VmCreateEvent, 'vm' | 'seq'> | Omit<VmModifyEvent, 'vm' | 'seq'> | Omit<VmDeleteEvent, 'seq'>
) & {
  readonly seq: number;
  /** Of the VM after the event, or before it when it is gone. Absent when it has none. */
  readonly alias?: string;
  /** The VM after the event; never in a `delete`. */
  readonly vm?: VmObject;
};

/** The answer. */
export interface PastEvents {
  /** A UUID per start of the daemon: `seq` counts within it. */
  readonly instance: string;
  /** Of the last event there was. */
  readonly seq: number;
  /** How far back the daemon's memory reaches: the oldest event that it still has; null when it has none. */
  readonly oldest: { readonly seq: number; readonly date: string } | null;
  /** Whether that is all that has happened since the daemon started. */
  readonly complete: boolean;
  /** `before` for the next answer; null when nothing older is left. */
  readonly next: number | null;
  /** The newest first. */
  readonly events: readonly PastEvent[];
}

/** What a past event tells; nothing when it tells only what follows from something else. */
export function describePastEvent(event: PastEvent, options: DescribeOptions = {}): readonly Happening[] {
  const { vm } = event;
  if (event.type === 'modify') {
    return describeChanges(event.changes, { ...options, ...(vm !== undefined && { vm }) });
  }
  if (event.type === 'delete') return describeEvent(event, options);
  if (vm !== undefined) return describeEvent({ ...event, vm }, options);
  return [{ text: 'created', kind: 'created', follows: false }];
}
