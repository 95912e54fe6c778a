/**
 * The VMs as consumers see them: the assembled objects, their bytes, and the stream of changes. A VM's JSON is made
 * once, when it changes; nothing here is proportional to the number of VMs for a change of one.
 */
import { BehaviorSubject, Subject, type Observable } from 'rxjs';
import { diff } from '../vm/diff.js';
import type { VmCreateEvent, VmDeleteEvent, VmModifyEvent } from '../vm/event.js';
import type { VmObject } from '../vm/vm-object.js';
import { createEventLog, type EventLog } from './event-log.js';

/** A VM and its serialised form. Nobody changes either. */
export interface StoredVm {
  readonly vm: VmObject;
  /** The VM's JSON, UTF-8. */
  readonly bytes: Buffer;
  /** The `seq` of the event that made it so. */
  readonly seq: number;
}

/** An event without its VM, which is beside it. */
export type EventHead = Omit<VmCreateEvent, 'vm'> | Omit<VmModifyEvent, 'vm'> | VmDeleteEvent;

/** A change, and the VM before it. */
export interface Commit {
  readonly seq: number;
  readonly event: EventHead;
  /** After the change; `undefined` for a delete. */
  readonly stored: StoredVm | undefined;
  /** Before the change; `undefined` for a create. */
  readonly previous: StoredVm | undefined;
  /** When a source said that this may be stale, as `performance.now()`; `undefined` when none did: a rescan found it. */
  readonly noticedAt: number | undefined;
}

/**
 * The state after the last commit. It is live: read it in one turn of the event loop, and ask again in the next.
 */
export interface Snapshot {
  /** False until the first load is done. */
  readonly loaded: boolean;
  /** Grows by one with each commit; the `seq` of the last event. */
  readonly seq: number;
  readonly vms: ReadonlyMap<string, StoredVm>;
}

/** The VMs, and whoever looks at them. */
export interface VmStore {
  readonly snapshot: BehaviorSubject<Snapshot>;
  /** Every change, in order, after it is in the snapshot. */
  readonly commits: Observable<Commit>;
  /** The last of them; each is in it before it is in `commits`. */
  readonly log: EventLog;
  /** Puts in a VM as it is now. The commit, or `undefined` when nothing changed. */
  put(vm: VmObject): Commit | undefined;
  /** Takes out a VM. The commit, or `undefined` when there was none. */
  delete(zonename: string): Commit | undefined;
  /** Says that the first load is done. What was put in before is in the snapshot without ever having been an event. */
  loaded(): void;
  /** Ends the stream. */
  close(): void;
}

/** An empty store. `noticedAt` says when a source last named a zone; see Commit. */
export function createVmStore(
  noticedAt: (zonename: string) => number | undefined = () => undefined,
): VmStore {
  const vms = new Map<string, StoredVm>();
  const commits = new Subject<Commit>();
  const log = createEventLog();
  const snapshot = new BehaviorSubject<Snapshot>({ loaded: false, seq: 0, vms });
  let seq = 0;

  /** Before the first load is done nobody can have seen a VM, so there is nothing to tell. */
  const next = () => (snapshot.value.loaded ? ++seq : seq);

  const commit = (event: EventHead, stored: StoredVm | undefined, previous: StoredVm | undefined): Commit => {
    if (stored === undefined) vms.delete(event.zonename);
    else vms.set(event.zonename, stored);
    const made = { seq, event, stored, previous, noticedAt: noticedAt(event.zonename) };
    snapshot.next({ loaded: snapshot.value.loaded, seq, vms });
    if (snapshot.value.loaded) {
      log.add(made);
      commits.next(made);
    }
    return made;
  };

  return {
    snapshot,
    commits: commits.asObservable(),
    log,
    put: (vm) => {
      const { zonename, uuid } = vm;
      const previous = vms.get(zonename);
      const changes = previous && diff(previous.vm, vm);
      if (changes?.length === 0) return undefined;
      const stored = { vm, bytes: bytesOf(JSON.stringify(vm)), seq: next() };
      const what = { date: new Date().toISOString(), zonename, uuid, seq };
      const event: EventHead =
        changes === undefined ? { type: 'create', ...what } : { type: 'modify', ...what, changes };
      return commit(event, stored, previous);
    },
    delete: (zonename) => {
      const previous = vms.get(zonename);
      if (previous === undefined) return undefined;
      const what = { date: new Date().toISOString(), zonename, uuid: previous.vm.uuid, seq: next() };
      return commit({ type: 'delete', ...what }, undefined, previous);
    },
    loaded: () => {
      snapshot.next({ ...snapshot.value, loaded: true });
    },
    close: () => {
      commits.complete();
      snapshot.complete();
    },
  };
}

/** In memory of its own: node's shared slabs would be kept whole for the one VM in them that lives longest. */
function bytesOf(json: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(json));
  bytes.write(json);
  return bytes;
}
