/**
 * A listener of `/events` that keeps its own copy of the VMs, and checks each event against it: gapless, in order of
 * time, a modify has changes, and these changes make of the copy just the VM that the event has in it.
 */
import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { isEqual } from '../../lib/vm/equal.js';
import type { ReadyMessage, VmEvent } from '../../lib/vm/event.js';
import { asJson } from '../../lib/vm/json.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { apply, unordered } from '../vm/apply.js';
import { byZonename, type Vms } from './compare.js';

/** An open listener. */
export interface Follower {
  /** Its copy: the `ready` snapshot with all events so far replayed onto it. */
  readonly vms: Vms;
  /** The events so far. */
  readonly events: number;
  close(): void;
}

export interface FollowerOptions {
  /** Called for each event, after the checks. */
  readonly onEvent?: (event: VmEvent) => void;
  /** Called with what should not be. */
  readonly onProblem: (problem: string) => void;
}

/** Opens a listener; resolves when its `ready` is there. */
export async function follow(url: string, options: FollowerOptions): Promise<Follower> {
  const { onEvent, onProblem } = options;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/events`, { agent: false }, resolve).on('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`/events: ${response.statusCode}`);
  let closed = false;
  let events = 0;
  let last: { readonly date: string; readonly seq: number | undefined } | undefined;
  let vms: Map<string, VmObject> | undefined;

  const check = (event: VmEvent, copy: ReadonlyMap<string, VmObject>) => {
    const what = `${event.type} ${event.zonename} (seq ${event.seq})`;
    if (last !== undefined && event.date < last.date)
      onProblem(`${what}: ${event.date} is before ${last.date}`);
    if (last?.seq !== undefined && event.seq !== last.seq + 1)
      onProblem(`${what} comes after seq ${last.seq}`);
    const before = copy.get(event.zonename);
    if (event.type === 'create') {
      if (before !== undefined) onProblem(`${what}: the VM is there already`);
      return;
    }
    if (before === undefined) onProblem(`${what}: there is no such VM`);
    else if (event.type === 'modify') {
      if (event.changes.length === 0 || isEqual(asJson(before), asJson(event.vm)))
        onProblem(`${what}: nothing is different`);
      else if (unordered(apply(before, event.changes)) !== unordered(asJson(event.vm)))
        onProblem(`${what}: the changes do not lead to the VM: ${JSON.stringify(event.changes)}`);
    }
  };

  const take = (event: VmEvent, copy: Map<string, VmObject>) => {
    events++;
    check(event, copy);
    last = { date: event.date, seq: event.seq };
    if (event.type === 'delete') copy.delete(event.zonename);
    else copy.set(event.zonename, event.vm);
    onEvent?.(event);
  };

  await new Promise<void>((resolve, reject) => {
    response.on('error', reject).on('close', () => {
      if (!closed) onProblem('the daemon ended /events');
      reject(new Error('/events ended'));
    });
    createInterface({ input: response }).on('line', (line) => {
      if (closed) return;
      if (vms !== undefined) {
        take(JSON.parse(line) as VmEvent, vms);
        return;
      }
      const ready = JSON.parse(line) as ReadyMessage;
      vms = new Map(byZonename(JSON.parse(ready.vms ?? '') as VmObject[]));
      if (ready.seq !== undefined) last = { date: ready.date, seq: ready.seq };
      resolve();
    });
  });
  return {
    get vms() {
      return vms ?? new Map<string, VmObject>();
    },
    get events() {
      return events;
    },
    close: () => {
      closed = true;
      response.destroy();
    },
  };
}
