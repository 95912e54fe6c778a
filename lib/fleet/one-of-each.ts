/**
 * The fleet for consumers that know a VM by its zonename alone: of a VM that is on two hosts, the copy that is preferred.
 * Pure.
 */
import type { StreamEvent } from '../client/events.js';
import type { VmObject } from '../vm/vm-object.js';

/** Sorts copies of a VM, the best first: running before others, fresh before stale. */
export function preferred(copies: readonly VmObject[]): readonly VmObject[] {
  const rank = (vm: VmObject) => (vm.state === 'running' ? 0 : 2) + ('stale' in vm ? 1 : 0);
  return copies.toSorted((a, b) => rank(a) - rank(b) || (a.last_modified < b.last_modified ? 1 : -1));
}

/** What a zonename stands for after an event. */
export interface Current {
  readonly zonename: string;
  /** `undefined`: no host has it any more. */
  readonly vm: VmObject | undefined;
}

export class OneOfEach {
  /** By zonename, then by server. */
  readonly #copies = new Map<string, ReadonlyMap<string, VmObject>>();

  /** The zonenames that an event is about, as they are now. */
  take(event: StreamEvent): readonly Current[] {
    if (event.type === 'ready') {
      for (const vm of event.vms) this.#set(vm.zonename, serverOf(vm), vm);
      return [...this.#copies.keys()].map((zonename) => this.#current(zonename));
    }
    const { zonename } = event;
    this.#set(zonename, serverOf(event), event.type === 'delete' ? undefined : event.vm);
    return [this.#current(zonename)];
  }

  #set(zonename: string, server: string, vm: VmObject | undefined): void {
    const copies = new Map(this.#copies.get(zonename));
    if (vm === undefined) copies.delete(server);
    else copies.set(server, vm);
    if (copies.size === 0) this.#copies.delete(zonename);
    else this.#copies.set(zonename, copies);
  }

  #current(zonename: string): Current {
    const [vm] = preferred([...(this.#copies.get(zonename)?.values() ?? [])]);
    return { zonename, vm };
  }
}

function serverOf(each: { readonly server_uuid?: string }): string {
  const { datacenter = '' } = each as { readonly datacenter?: string };
  return `${datacenter}/${each.server_uuid ?? ''}`;
}
