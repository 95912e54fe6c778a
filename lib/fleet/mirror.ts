/**
 * What a reader knows of the fleet: each VM as of its last message. Tells what is new in a message, or in all of them
 * after a loss, so that a consumer gets each change once and never an older state. Pure.
 */
import { diff } from '../vm/diff.js';
import type { VmEvent } from '../vm/event.js';
import type { VmObject } from '../vm/vm-object.js';
import type { StoredMessage } from './message.js';
import { hostName, type HostId } from './names.js';

/** An event of the fleet: a host's event, with the host that it is from. `seq` is the stream's. */
export type FleetEvent = VmEvent & {
  readonly datacenter: string;
  readonly server_uuid: string;
  /** The VM had changed before, too, but the stream no longer has that, or its publisher never sent it. */
  readonly missed?: true;
};

interface Entry extends Pick<StoredMessage, 'key' | 'revision' | 'hash'> {
  readonly vm: VmObject;
}

/** The position in the stream up to which everything is known. */
export interface Place {
  readonly revision: number;
  /** The id of the message there: if it is a different one now, this is no longer the same stream. */
  readonly id: string;
}

export class FleetMirror {
  readonly #entries = new Map<string, Entry>();
  readonly #epochs = new Map<string, number>();
  readonly #dress: (vm: VmObject, host: HostId) => VmObject;
  #place: Place | undefined;

  /** @param dress Sets the properties that a VM has only in the fleet. */
  constructor(dress: (vm: VmObject, host: HostId) => VmObject) {
    this.#dress = dress;
  }

  get place(): Place | undefined {
    return this.#place;
  }

  get vms(): readonly VmObject[] {
    return [...this.#entries.values()].map(({ vm }) => vm);
  }

  /** Takes in the next message of the stream. */
  take(message: StoredMessage): FleetEvent | undefined {
    if (this.#place !== undefined && message.revision <= this.#place.revision) return undefined;
    this.#place = message;
    const host = hostName(message.key);
    const newest = this.#epochs.get(host) ?? 0;
    // From a publisher that has been replaced: its successor sees it, and writes the VM again.
    if (message.epoch < newest) return undefined;
    this.#epochs.set(host, message.epoch);
    return this.#store(message);
  }

  /** Takes in the last message of every VM, in the order of the stream: all that there is now. */
  replace(messages: readonly StoredMessage[]): readonly FleetEvent[] {
    const present = new Set(messages.map(({ key }) => nameOf(key)));
    const gone = [...this.#entries.values()].flatMap((entry) =>
      present.has(nameOf(entry.key)) ? [] : this.#remove(entry, new Date().toISOString()),
    );
    this.#epochs.clear();
    const events = messages.flatMap((message) => {
      const host = hostName(message.key);
      this.#epochs.set(host, Math.max(message.epoch, this.#epochs.get(host) ?? 0));
      return this.#store(message) ?? [];
    });
    this.#place = messages.at(-1);
    return [...gone, ...events];
  }

  /** Dresses the VMs of these hosts again. */
  dressAgain(hosts: readonly HostId[]): readonly FleetEvent[] {
    const names = new Set(hosts.map(hostName));
    const date = new Date().toISOString();
    return [...this.#entries].flatMap(([name, entry]) => {
      const { vm: before, key } = entry;
      if (!names.has(hostName(key))) return [];
      const vm = this.#dress(before, key);
      const changes = diff(before, vm);
      if (changes.length === 0) return [];
      this.#entries.set(name, { ...entry, vm });
      const { zonename, uuid } = vm;
      return [{ type: 'modify' as const, date, zonename, uuid, ...placeOf(key), vm, changes }];
    });
  }

  #store(message: StoredMessage): FleetEvent | undefined {
    const { key, at: date, revision: seq, hash } = message;
    if (message.type === 'delete' || message.vm === undefined) return this.#remove(message, date)[0];
    const vm = this.#dress(message.vm, key);
    const before = this.#entries.get(nameOf(key));
    this.#entries.set(nameOf(key), { vm, key, revision: seq, hash });
    const common = { date, zonename: vm.zonename, uuid: vm.uuid, seq, ...placeOf(key), vm };
    if (before === undefined) return { type: 'create', ...common };
    const changes = before.hash === hash ? [] : diff(before.vm, vm);
    if (changes.length === 0) return undefined;
    const isMissed = message.after !== before.revision || (message.coalesced ?? 0) > 0;
    return { type: 'modify', ...common, changes, ...(isMissed && { missed: true as const }) };
  }

  #remove({ key, revision: seq }: Pick<StoredMessage, 'key' | 'revision'>, date: string): FleetEvent[] {
    const known = this.#entries.get(nameOf(key));
    this.#entries.delete(nameOf(key));
    if (known === undefined) return [];
    const { vm } = known;
    const { zonename, uuid } = vm;
    return [{ type: 'delete', date, zonename, uuid, seq, ...placeOf(key), vm }];
  }
}

function placeOf({ datacenter, server }: HostId): { datacenter: string; server_uuid: string } {
  return { datacenter, server_uuid: server };
}

function nameOf({ datacenter, server, zonename }: StoredMessage['key']): string {
  return `${datacenter}/${server}/${zonename}`;
}
