/**
 * What the stream has delivered so far: every VM, and the position to resume from. Turns the daemon's lines into the
 * consumer's events so that these never have a gap: a snapshot that follows a lost connection becomes the differences
 * between what was known and what it says.
 */
import { diff } from '../vm/diff.js';
import {
  hostNames,
  type HostNames,
  type VmCreateEvent,
  type VmEvent,
  type VmModifyEvent,
} from '../vm/event.js';
import type { VmObject } from '../vm/vm-object.js';
import { BadAnswerError } from './errors.js';
import type { Line, ReadyLine, StreamEvent } from './events.js';

export class Mirror {
  readonly #vms = new Map<string, VmObject>();
  readonly #missing = new Set<string>();
  readonly #only: string | undefined;
  #ready = false;
  #instance: string | undefined;
  #seq: number | undefined;
  /** The host's names, if asked for: for events that are made here. */
  #host: HostNames = {};

  /** @param only The one zone to follow; an old daemon sends the others all the same. */
  constructor(only?: string) {
    this.#only = only;
  }

  /** Whether the first snapshot has come. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The parameter that resumes after the last line; none when the daemon cannot resume. */
  get place(): { readonly since?: string } {
    return this.#instance === undefined ? {} : { since: `${this.#instance}:${this.#seq}` };
  }

  /**
   * VMs that a later snapshot lacks. Each is gone, or its zone has not loaded since the daemon restarted: only the daemon
   * can tell. Pass those that are gone to `forget`.
   */
  get missing(): readonly string[] {
    return [...this.#missing];
  }

  /** Takes in a line and gives what the consumer must hear of it. */
  apply(line: Line): StreamEvent[] {
    if (line.type === 'overflow') return []; // The stream ends here, and `place` says where it stopped.
    if (line.seq !== undefined) this.#seq = line.seq;
    switch (line.type) {
      case 'heartbeat':
        return [];
      case 'ready':
        this.#instance = line.instance;
        this.#host = hostNames(line);
        return line.resumed ? [] : this.#snapshot(line);
      case 'create':
        return this.#follows(line) ? this.#update(line.vm, line.date, line) : [];
      case 'modify':
        return this.#follows(line) ? this.#store(line) : [];
      case 'delete':
        return this.#follows(line) ? this.forget(line.zonename, line.date) : [];
    }
  }

  /** A VM is gone. */
  forget(zonename: string, date = new Date().toISOString()): StreamEvent[] {
    const vm = this.#vms.get(zonename);
    this.#vms.delete(zonename);
    this.#missing.delete(zonename);
    return vm ? [{ type: 'delete', date, zonename, uuid: vm.uuid, ...this.#host, vm }] : [];
  }

  #follows({ zonename }: { readonly zonename: string }): boolean {
    return this.#only === undefined || zonename === this.#only;
  }

  #snapshot({ date, uuid, vms: all }: ReadyLine): StreamEvent[] {
    if (!all) throw new BadAnswerError('a ready line has no vms');
    const vms = all.filter((vm) => this.#follows(vm));
    for (const zonename of this.#vms.keys()) this.#missing.add(zonename);
    const differences = vms.flatMap((vm) => this.#update(vm, date));
    if (this.#ready) return differences;
    this.#ready = true;
    return [{ type: 'ready', date, uuid, ...this.#host, vms }];
  }

  /** A VM as it is now, whatever was known of it. */
  #update(vm: VmObject, date: string, asNew?: VmCreateEvent): VmEvent[] {
    const { zonename, uuid } = vm;
    const old = this.#vms.get(zonename);
    if (!old) return this.#store(asNew ?? { type: 'create', date, zonename, uuid, ...this.#host, vm });
    const changes = diff(old, vm);
    const events = this.#store({ type: 'modify', date, zonename, uuid, ...this.#host, vm, changes });
    return events.filter(({ changes }) => changes.length > 0);
  }

  #store<T extends VmCreateEvent | VmModifyEvent>(event: T): T[] {
    this.#vms.set(event.zonename, event.vm);
    this.#missing.delete(event.zonename);
    return [event];
  }
}
