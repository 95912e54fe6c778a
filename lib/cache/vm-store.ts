/**
 * The VMs as consumers see them: the assembled objects, their bytes, and what changed last. A VM's JSON is made once, when
 * it changes; nothing here is proportional to the number of VMs for a change of one.
 */
import { BehaviorSubject } from 'rxjs';
import { diff } from '../vm/diff.js';
import type { VmCreateEvent, VmDeleteEvent, VmModifyEvent } from '../vm/event.js';
import type { VmObject } from '../vm/vm-object.js';
import { createEventLog, type EventLog } from './event-log.js';
import { VmMap } from '../vm/vm-map.js';

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

/** The state after a commit. It never changes: each commit makes another. */
export interface CacheSnapshot {
  /** False until the first load is done. */
  readonly loaded: boolean;
  /** Grows by one with each commit; the `seq` of the last event. */
  readonly seq: number;
  /** By zonename. */
  readonly vms: VmMap<StoredVm>;
}

/** The VMs, and whoever looks at them. */
export interface VmStore {
  readonly snapshot: BehaviorSubject<CacheSnapshot>;
  /** The last commits; each is in it before it is told. */
  readonly log: EventLog;
  /** Puts in a VM as it is now. The commit; `undefined` when nothing changed, or nobody can have seen it before. */
  put(vm: VmObject, noticedAt?: number): Commit | undefined;
  /** Takes out a VM. The commit; `undefined` when there was none. */
  delete(zonename: string, noticedAt?: number): Commit | undefined;
  /** Says that the first load is done. What was put in before is in the snapshot without ever having been an event. */
  loaded(): void;
}

/** An empty store. */
export function createVmStore(): VmStore {
  const log = createEventLog();
  const snapshot = new BehaviorSubject<CacheSnapshot>({ loaded: false, seq: 0, vms: VmMap.empty() });

  const commit = (
    event: EventHead,
    stored: StoredVm | undefined,
    previous: StoredVm | undefined,
    noticedAt: number | undefined,
  ): Commit | undefined => {
    const { loaded, vms } = snapshot.value;
    const { zonename } = event;
    const seq = nextSeq();
    const made = { seq, event, stored, previous, noticedAt };
    if (loaded) log.add(made);
    snapshot.next({
      loaded,
      seq,
      vms: stored === undefined ? vms.without(zonename) : vms.with(zonename, stored),
    });
    return loaded ? made : undefined;
  };

  /** Before the first load is done nobody can have seen a VM, so there is nothing to tell. */
  const nextSeq = () => snapshot.value.seq + (snapshot.value.loaded ? 1 : 0);

  return {
    snapshot,
    log,
    put: (vm, noticedAt) => {
      const { zonename, uuid } = vm;
      const previous = snapshot.value.vms.get(zonename);
      const changes = previous && diff(previous.vm, vm);
      if (changes?.length === 0) return undefined;
      const seq = nextSeq();
      const stored = { vm, bytes: encode(JSON.stringify(vm)), seq };
      const head = { date: new Date().toISOString(), zonename, uuid, seq };
      const event: EventHead =
        changes === undefined ? { type: 'create', ...head } : { type: 'modify', ...head, changes };
      return commit(event, stored, previous, noticedAt);
    },
    delete: (zonename, noticedAt) => {
      const previous = snapshot.value.vms.get(zonename);
      if (previous === undefined) return undefined;
      const head = { date: new Date().toISOString(), zonename, uuid: previous.vm.uuid, seq: nextSeq() };
      return commit({ type: 'delete', ...head }, undefined, previous, noticedAt);
    },
    loaded: () => {
      snapshot.next({ ...snapshot.value, loaded: true });
    },
  };
}

/** In memory of its own: node's shared slabs would be kept whole for the one VM in them that lives longest. */
function encode(json: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(json));
  bytes.write(json);
  return bytes;
}
