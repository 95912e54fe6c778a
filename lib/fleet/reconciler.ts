/**
 * Decides what to write so that the stream has exactly what the host has: the difference between the host's VMs and what
 * the stream was last seen to have, whatever happened to either side. A VM has one write in flight at a time; if it
 * changes faster, only its newest state is written. Pure.
 */
import type { VmObject } from '../vm/vm-object.js';
import type { Observed } from './observe.js';

/** A VM as it should be in the stream. */
export interface Wanted {
  /** Redacted. */
  readonly vm: VmObject;
  readonly hash: string;
  /** When the host saw this state; ISO. */
  readonly at: string;
}

/** Something to write. */
export interface Write {
  readonly zonename: string;
  /** `undefined`: the VM is gone. */
  readonly wanted: Wanted | undefined;
  readonly at: string;
  /** The sequence of the message before it; 0 when there was none. */
  readonly after: number;
  /** The VM in the previous message: absent when there was none, `'unknown'` when we have not seen it. */
  readonly previous: VmObject | 'unknown' | undefined;
  /** How many states of the VM since that message were skipped. */
  readonly coalesced: number;
}

interface Known extends Observed {
  /** The content that we wrote ourselves, or read. */
  readonly vm?: VmObject;
}

/** Decides what to write from what it is told about both sides. */
export class Reconciler {
  readonly #wanted = new Map<string, Wanted>();
  readonly #gone = new Map<string, string>();
  readonly #states = new Map<string, number>();
  readonly #inFlight = new Set<string>();
  readonly #dirty = new Set<string>();
  readonly #refused = new Map<string, string>();
  /** What was sent, but may or may not have been stored. */
  readonly #uncertain = new Map<string, Wanted>();
  #stored = new Map<string, Known>();

  /** VMs on the host. */
  get wanted(): ReadonlyMap<string, Wanted> {
    return this.#wanted;
  }

  /** VMs whose newest state NATS does not accept. */
  get refused(): readonly string[] {
    return [...this.#refused].flatMap(([zonename, hash]) =>
      this.#wanted.get(zonename)?.hash === hash ? [zonename] : [],
    );
  }

  /** VMs whose message differs from the host's state, or is being written. */
  get behind(): number {
    return new Set([...this.#dirty, ...this.#inFlight]).size;
  }

  /** The highest sequence of a message of the host in the stream; 0 when there is none. */
  get revision(): number {
    let highest = 0;
    for (const { revision } of this.#stored.values()) highest = Math.max(highest, revision);
    return highest;
  }

  /** Sets a VM's current state. */
  put(zonename: string, wanted: Wanted): void {
    if (this.#wanted.get(zonename)?.hash === wanted.hash) return;
    this.#gone.delete(zonename);
    this.#wanted.set(zonename, wanted);
    this.#states.set(zonename, (this.#states.get(zonename) ?? 0) + 1);
    this.#mark(zonename);
  }

  /** Records that a VM is gone from the host, or is not to be published. */
  remove(zonename: string, at: string): void {
    if (this.#gone.has(zonename)) return;
    this.#wanted.delete(zonename);
    this.#refused.delete(zonename);
    this.#gone.set(zonename, at);
    this.#states.set(zonename, (this.#states.get(zonename) ?? 0) + 1);
    this.#mark(zonename);
  }

  /** The host was asked again, and these are all of its VMs: nothing is known about others any more. */
  keepOnly(zonenames: ReadonlySet<string>): void {
    for (const zonename of this.#wanted.keys()) {
      if (zonenames.has(zonename)) continue;
      this.#wanted.delete(zonename);
      this.#mark(zonename);
    }
  }

  /** Sets what the stream has. Nothing may be in flight: it would be unclear whether this includes it. */
  observe(stored: ReadonlyMap<string, Observed>): void {
    if (this.#inFlight.size > 0) throw new Error('observed while writing');
    const before = this.#stored;
    this.#stored = new Map();
    for (const [zonename, observed] of stored) {
      const known = before.get(zonename);
      const isKnown = known?.revision === observed.revision && known.hash === observed.hash;
      const sent = this.#uncertain.get(zonename);
      const isSent = sent !== undefined && sent.hash === observed.hash;
      this.#stored.set(zonename, isKnown ? known : isSent ? { ...observed, vm: sent.vm } : observed);
    }
    this.#uncertain.clear();
    this.#dirty.clear();
    for (const zonename of [...this.#wanted.keys(), ...this.#stored.keys()]) this.#mark(zonename);
  }

  /** VMs in the stream that the host has not mentioned: gone while nobody looked, or not read yet. */
  unaccounted(): readonly string[] {
    return [...this.#stored].flatMap(([zonename, { hash, isOurs }]) => {
      const isSettled = hash === undefined && isOurs;
      return isSettled || this.#wanted.has(zonename) || this.#gone.has(zonename) ? [] : [zonename];
    });
  }

  /** The next write, which is then in flight; `undefined` when there is none. */
  next(): Write | undefined {
    for (const zonename of this.#dirty) {
      if (this.#inFlight.has(zonename)) continue;
      this.#dirty.delete(zonename);
      if (!this.#differs(zonename)) continue;
      this.#inFlight.add(zonename);
      return this.#write(zonename);
    }
    return undefined;
  }

  /** A write is in the stream. */
  wrote({ zonename, wanted, coalesced }: Write, revision: number): void {
    this.#stored.set(zonename, {
      revision,
      isOurs: true,
      hash: wanted?.hash,
      ...(wanted !== undefined && { vm: wanted.vm }),
    });
    this.#states.set(zonename, Math.max(0, (this.#states.get(zonename) ?? 0) - coalesced - 1));
    this.#inFlight.delete(zonename);
    this.#mark(zonename);
  }

  /** A write failed, or its outcome is unknown: the stream must be observed before the VM is written again. */
  failed({ zonename, wanted }: Write): void {
    if (wanted !== undefined) this.#uncertain.set(zonename, wanted);
    this.#inFlight.delete(zonename);
    this.#mark(zonename);
  }

  /** NATS does not accept a VM's current state. The stream keeps the old one until the VM changes. */
  refuse({ zonename, wanted }: Write): void {
    if (wanted !== undefined) this.#refused.set(zonename, wanted.hash);
    this.#inFlight.delete(zonename);
    this.#mark(zonename);
  }

  #mark(zonename: string): void {
    if (this.#differs(zonename)) {
      this.#dirty.add(zonename);
      return;
    }
    this.#dirty.delete(zonename);
    if (this.#inFlight.has(zonename)) return;
    this.#states.delete(zonename);
    this.#gone.delete(zonename);
  }

  #differs(zonename: string): boolean {
    const stored = this.#stored.get(zonename);
    const wanted = this.#wanted.get(zonename);
    if (wanted !== undefined) {
      return stored?.hash !== wanted.hash && this.#refused.get(zonename) !== wanted.hash;
    }
    return this.#gone.has(zonename) && stored !== undefined && !(stored.hash === undefined && stored.isOurs);
  }

  #write(zonename: string): Write {
    const wanted = this.#wanted.get(zonename);
    const stored = this.#stored.get(zonename);
    const at = wanted?.at ?? this.#gone.get(zonename) ?? '';
    return {
      zonename,
      wanted,
      at,
      after: stored?.revision ?? 0,
      previous: stored?.hash === undefined ? undefined : (stored.vm ?? 'unknown'),
      coalesced: Math.max(0, (this.#states.get(zonename) ?? 0) - 1),
    };
  }
}
