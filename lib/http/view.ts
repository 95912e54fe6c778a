/**
 * What a listener sees of a commit, according to its parameters. A VM that starts matching its filter appears, and one
 * that stops matching disappears, so that the listener's picture is always right. Pure.
 */
import type { Commit, StoredVm } from '../cache/vm-store.js';
import type { Change } from '../vm/diff.js';
import type { HostNames } from '../vm/event.js';
import { project } from '../vm/fields.js';
import { matches } from '../vm/conditions.js';
import { vmBytes } from '../vm/vm-bytes.js';
import { touches } from '../vm/touches.js';
import type { EventSelection, EventType, Selection } from './parameters.js';

/** An event's JSON in parts, with the VM's existing bytes instead of serialising it again. `undefined`: nothing to see. */
export function eventJson(
  commit: Commit,
  selection: EventSelection | undefined,
  host?: HostNames,
): readonly Buffer[] | undefined {
  const { event, stored, previous } = commit;
  const parts = (type: EventType, vm: readonly Buffer[] | undefined, changes: readonly Change[] = []) => {
    const { date, zonename, uuid, seq } = event;
    return inParts({ type, date, zonename, uuid, seq, ...host }, vm, changes);
  };
  if (selection === undefined) return parts(event.type, (stored ?? previous)?.bytes, changesOf(commit));
  const { fieldPaths, paths, types } = selection;
  const type = typeSeen(commit, selection);
  if (type === undefined || (types.length > 0 && !types.includes(type))) return undefined;
  if (type === 'delete' || stored === undefined) return parts(type, previous && viewOf(previous, selection));
  const vm = viewOf(stored, selection);
  if (type === 'create') return parts(type, vm);
  const changes = changesOf(commit).filter(
    ({ path }) => fieldPaths === undefined || touches(fieldPaths, path),
  );
  if (changes.length === 0) return undefined;
  if (paths.length > 0 && !changes.some(({ path }) => touches(paths, path))) return undefined;
  return parts(type, vm, changes);
}

/** A VM's JSON as selected, in parts. */
export function viewOf(stored: StoredVm, { fields }: Pick<Selection, 'fields'>): readonly Buffer[] {
  return fields === undefined ? stored.bytes : vmBytes(project(fields, stored.vm));
}

function typeSeen({ previous, stored }: Commit, { filter }: Selection): EventType | undefined {
  // The event log keeps VMs as bytes: parse them only where needed.
  const isSeen = (each: StoredVm | undefined) =>
    each !== undefined && (filter.length === 0 || matches(filter, each.vm));
  const before = isSeen(previous);
  const after = isSeen(stored);
  if (before) return after ? 'modify' : 'delete';
  return after ? 'create' : undefined;
}

function changesOf({ event }: Commit): readonly Change[] {
  return event.type === 'modify' ? event.changes : [];
}

function inParts(
  envelope: { readonly type: EventType; readonly [name: string]: unknown },
  vm: readonly Buffer[] | undefined,
  changes: readonly Change[],
): readonly Buffer[] {
  const head = JSON.stringify(envelope).slice(0, -1);
  if (vm === undefined) return [Buffer.from(`${head}}`)];
  const tail = envelope.type === 'modify' ? `,"changes":${JSON.stringify(changes)}}` : '}';
  return [Buffer.from(`${head},"vm":`), ...vm, Buffer.from(tail)];
}
