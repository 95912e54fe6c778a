/**
 * `client.watch()`: all VMs as they are now, kept up to date by the event stream, and optionally their changes.
 */
import { Readable } from 'node:stream';
import { maxUnreadEvents } from '../config.js';
import type { VmEvent } from '../vm/event.js';
import type { VmObject } from '../vm/vm-object.js';
import { VminfodError } from './errors.js';
import type { StreamEvent } from './events.js';

/** The key of a VM, the same for the VM and its events. */
type KeyOf = (each: VmObject | VmEvent) => string;

export class VmWatcher implements AsyncDisposable {
  readonly #vms = new Map<string, VmObject>();
  readonly #readers = new Set<Readable>();
  readonly #events: AsyncIterator<StreamEvent>;
  readonly #keyOf: KeyOf;
  readonly #ended: Promise<void>;
  #failure: Error | undefined;

  private constructor(events: AsyncIterator<StreamEvent>, keyOf: KeyOf) {
    this.#events = events;
    this.#keyOf = keyOf;
    this.#ended = this.#follow();
  }

  /** Resolves once the first snapshot is in. */
  static async start(
    stream: AsyncIterable<StreamEvent>,
    keyOf: KeyOf = ({ zonename }) => zonename,
  ): Promise<VmWatcher> {
    const events = stream[Symbol.asyncIterator]();
    const first = await events.next();
    const watcher = new VmWatcher(events, keyOf);
    if (!first.done && first.value.type === 'ready') {
      for (const vm of first.value.vms) watcher.#vms.set(keyOf(vm), vm);
    }
    return watcher;
  }

  /**
   * The VMs by zonename, live: the same map each time. It does not change while a lost connection is being replaced.
   * @throws what ended the stream for good: an outdated map must not be read.
   */
  get vms(): ReadonlyMap<string, VmObject> {
    if (this.#failure) throw this.#failure;
    return this.#vms;
  }

  /**
   * Events from now on; when an event is delivered, `vms` already includes it. Each call is a stream of its own.
   * @throws (while iterating) VminfodError with code `Overflow` when its reader has fallen too far behind.
   */
  changes(): AsyncIterable<VmEvent> {
    const reader = new Readable({ objectMode: true, highWaterMark: maxUnreadEvents, read: () => undefined });
    reader.once('close', () => this.#readers.delete(reader));
    reader.on('error', () => undefined); // Thrown to whoever iterates; unhandled, it would be fatal.
    if (this.#failure) reader.destroy(this.#failure);
    else this.#readers.add(reader);
    return reader;
  }

  /** Ends the stream and the iterations of `changes()`; the map stays as it is. */
  async close(): Promise<void> {
    await this.#events.return?.();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(): Promise<void> {
    try {
      for await (const event of { [Symbol.asyncIterator]: () => this.#events }) {
        if (event.type !== 'ready') this.#take(event);
      }
      for (const reader of this.#readers) reader.push(null);
    } catch (error) {
      this.#failure = error as Error;
      for (const reader of this.#readers) reader.destroy(this.#failure);
    }
  }

  #take(event: VmEvent): void {
    if (event.type === 'delete') this.#vms.delete(this.#keyOf(event));
    else this.#vms.set(this.#keyOf(event), event.vm);
    for (const reader of this.#readers) {
      if (reader.push(event)) continue;
      reader.destroy(new VminfodError(`more than ${maxUnreadEvents} changes were not read`, 'Overflow'));
    }
  }
}
