/**
 * What the stream has told so far: every VM, and the place to resume from. Turns the daemon's lines into the
 * consumer's events so that these never have a gap: a snapshot that follows a lost connection becomes the
 * differences between what was known and what it says.
 */
import { BadAnswerError } from './errors.js';
import type { Line, ReadyLine, StreamEvent } from './events.js';
import { differences } from './differences.js';
import type { VmObject } from '../vm/vm-object.js';

export class Mirror {
  readonly #vms = new Map<string, VmObject>();
  readonly #only: string | undefined;
  #ready = false;
  #instance: string | undefined;
  #seq: number | undefined;

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

  /** Takes in a line and gives what the consumer must hear of it. */
  apply(line: Line): StreamEvent[] {
    if (line.type === 'overflow') return []; // The stream ends after it, and `place` says where it stopped.
    this.#seq = line.seq;
    switch (line.type) {
      case 'heartbeat':
        return [];
      case 'ready':
        this.#instance = line.instance;
        return line.resumed ? [] : this.#snapshot(line);
      case 'create':
      case 'modify':
        if (!this.#follows(line)) return [];
        this.#vms.set(line.zonename, line.vm);
        return [line];
      case 'delete':
        if (!this.#follows(line)) return [];
        this.#vms.delete(line.zonename);
        return [line];
    }
  }

  #follows({ zonename }: { readonly zonename: string }): boolean {
    return this.#only === undefined || zonename === this.#only;
  }

  #snapshot({ date, uuid, vms: all }: ReadyLine): StreamEvent[] {
    if (!all) throw new BadAnswerError('a ready line has no vms');
    const vms = all.filter((vm) => this.#follows(vm));
    const events: StreamEvent[] = this.#ready
      ? differences(this.#vms, vms, date)
      : [{ type: 'ready', date, uuid, vms }];
    this.#ready = true;
    this.#vms.clear();
    for (const vm of vms) this.#vms.set(vm.zonename, vm);
    return events;
  }
}
