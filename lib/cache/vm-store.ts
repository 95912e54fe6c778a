/**
 * The VMs as consumers see them: the assembled objects, their bytes, and recent changes. A VM's JSON is made once, when
 * it changes; a change of one VM costs nothing proportional to the number of VMs.
 */
import { BehaviorSubject } from 'rxjs';
import { diff } from '../vm/diff.js';
import type { VmCreateEvent, VmDeleteEvent, VmModifyEvent } from '../vm/event.js';
import type { VmObject } from '../vm/vm-object.js';
import { vmBytes } from '../vm/vm-bytes.js';
import { VmMap } from '../vm/vm-map.js';
import { EventLog } from './event-log.js';

/** A VM and its serialised form. Nobody changes either. */
export interface StoredVm {
  readonly vm: VmObject;
  /** The VM's JSON, UTF-8, in parts, some of which other versions of it share. */
  readonly bytes: readonly Buffer[];
  /** The `seq` of the event that brought it to this state. */
  readonly seq: number;
}

/** An event without its VM, which is kept beside it. */
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

/** The VMs and their observers. */
export class VmStore {
  readonly snapshot = new BehaviorSubject<CacheSnapshot>({ loaded: false, seq: 0, vms: VmMap.empty() });
  /** The latest commits; each is in here before it is emitted. */
  readonly log = new EventLog();

  /** Stores a VM as it is now. Returns the commit; `undefined` when nothing changed, or during the first load. */
  put(vm: VmObject, noticedAt?: number): Commit | undefined {
    const previous = this.snapshot.value.vms.get(vm.zonename);
    const changes = previous && diff(previous.vm, vm);
    if (changes?.length === 0) return undefined;
    const head = this.#head(vm);
    const stored = { vm, bytes: vmBytes(vm), seq: head.seq };
    const event: EventHead =
      changes === undefined ? { type: 'create', ...head } : { type: 'modify', ...head, changes };
    return this.#commit({ seq: head.seq, event, stored, previous, noticedAt });
  }

  /** Removes a VM. Returns the commit; `undefined` when there was none. */
  delete(zonename: string, noticedAt?: number): Commit | undefined {
    const previous = this.snapshot.value.vms.get(zonename);
    if (previous === undefined) return undefined;
    const head = this.#head(previous.vm);
    const event: EventHead = { type: 'delete', ...head };
    return this.#commit({ seq: head.seq, event, stored: undefined, previous, noticedAt });
  }

  /** Ends the first load. VMs stored before are in the snapshot without ever having been an event. */
  loaded(): void {
    this.snapshot.next({ ...this.snapshot.value, loaded: true });
  }

  /** Before the first load is done nobody can have seen a VM, so there is nothing to report. */
  #head({ zonename, uuid }: VmObject) {
    const { loaded, seq } = this.snapshot.value;
    return { date: loaded ? new Date().toISOString() : '', zonename, uuid, seq: loaded ? seq + 1 : seq };
  }

  #commit(commit: Commit): Commit | undefined {
    const { loaded, vms } = this.snapshot.value;
    const { seq, event, stored } = commit;
    if (loaded) this.log.add(commit);
    const next = stored === undefined ? vms.without(event.zonename) : vms.with(event.zonename, stored);
    this.snapshot.next({ loaded, seq, vms: next });
    return loaded ? commit : undefined;
  }
}
