/**
 * Who publishes a host. Its record in `vminfo_hosts` is written by compare-and-set, with the epoch of who has it; so two
 * cannot have it at once. It passes on when its holder released it, is known to be dead, or has long not been heard from.
 */
import { randomUUID } from 'node:crypto';
import { fleet as limits } from '../config.js';
import type { Nats } from './connection.js';
import { ConflictError } from './errors.js';
import {
  isDead,
  readHostRecord,
  writeHostRecord,
  type HostRecord,
  type PublisherRecord,
} from './host-record.js';
import type { HostId } from './names.js';

/** The record without the epoch. */
export type RecordWithout = (held: { readonly instance: string; readonly epoch: number }) => HostRecord;

export class Lease {
  readonly instance = randomUUID();
  readonly #host: HostId;
  #epoch = 0;
  #revision = 0;
  #isHeld = false;
  /** Another publisher's record on which we wait, and since when we have seen it unchanged (`performance.now()`). */
  #seen: { readonly revision: number; readonly at: number } | undefined;

  constructor(host: HostId) {
    this.#host = host;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /**
   * Takes the record if nobody has it. Otherwise returns its holder.
   *
   * @throws VminfodError
   */
  async take(nats: Nats, record: RecordWithout): Promise<PublisherRecord | undefined> {
    const current = await readHostRecord(nats, this.#host);
    const holder = current?.record?.publisher;
    if (current && holder && holder.instance !== this.instance && !this.#isFree(current.revision, holder)) {
      return holder;
    }
    // Grows even when the store was lost and earlier epochs are unknown.
    const epoch = Math.max(this.#epoch, holder?.epoch ?? 0, Date.now()) + 1;
    try {
      const { instance } = this;
      this.#revision = await writeHostRecord(
        nats,
        this.#host,
        record({ instance, epoch }),
        current?.revision ?? 0,
      );
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return (await readHostRecord(nats, this.#host))?.record?.publisher;
    }
    this.#epoch = epoch;
    this.#isHeld = true;
    return undefined;
  }

  /**
   * Rewrites the record, to show that we are alive.
   *
   * @throws ConflictError when it is no longer ours, and then we no longer hold it; VminfodError.
   */
  async renew(nats: Nats, record: RecordWithout): Promise<void> {
    try {
      const { instance } = this;
      const written = record({ instance, epoch: this.#epoch });
      this.#revision = await writeHostRecord(nats, this.#host, written, this.#revision);
    } catch (error) {
      // After a write without an answer, or after the store was lost, `take` finds our own record, or none.
      if (error instanceof ConflictError) this.#isHeld = false;
      throw error;
    }
  }

  #isFree(revision: number, holder: PublisherRecord): boolean {
    if (holder.released || isDead(holder)) return true;
    const now = performance.now();
    if (this.#seen?.revision !== revision) this.#seen = { revision, at: now };
    return now - this.#seen.at > limits.staleAfterMs;
  }
}
