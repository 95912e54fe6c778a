/** What a wait waits for: which events concern it, and which changes it expects in them. Pure. */
import type { Change } from '../vm/diff.js';
import { isEqual } from '../vm/equal.js';
import type { VmEvent } from '../vm/event.js';
import { asJson, isJsonObject, ownProperty, type JsonValue } from '../vm/json.js';
import type { Path } from '../vm/path.js';
import type { VmObject } from '../vm/vm-object.js';

/** Properties that an event must have, objects partially: `{zonename, vm: {state: 'running'}}`. */
export type EventMatch = DeepPartial<{
  readonly type: VmEvent['type'];
  readonly zonename: string;
  readonly uuid: string;
  readonly vm: VmObject;
}>;

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> }
    : T;

/** A change to wait for. Omitted properties match anything; `null` in the path stands for any element. */
export interface WantedChange {
  readonly path: Path;
  readonly action?: Change['action'];
  /** Compared with its type: `20` is not `'20'`. */
  readonly oldValue?: JsonValue;
  readonly newValue?: JsonValue;
}

/** Every change of the list, where a list within it stands for one of its alternatives. */
export type WantedChanges = WantedChange | readonly (WantedChange | readonly WantedChange[])[];

/** Whether every key of `match` has the same value in the event; objects are compared the same way, lists as a whole. */
export function matchesEvent(match: EventMatch, event: VmEvent): boolean {
  return contains(asJson(event), asJson(match));
}

/**
 * Matches wanted changes with seen ones. Each seen change satisfies at most one wanted change, and as many as possible
 * are satisfied: a seen change is reassigned to another wanted one that it fits if that lets a later change be used
 * (augmenting paths in a bipartite graph, after Kuhn).
 */
export class ChangeTally {
  readonly #wanted: readonly (readonly WantedChange[])[];
  readonly #satisfiedBy = new Map<readonly WantedChange[], Change>();

  constructor(changes: WantedChanges) {
    this.#wanted = isOne(changes)
      ? [[changes]]
      : changes.map((wanted) => (isOne(wanted) ? [wanted] : wanted));
  }

  /** Takes in the changes of an event. Returns whether all wanted changes have now been seen. */
  add(changes: readonly Change[]): boolean {
    for (const change of changes) this.#assign(change, new Set());
    return this.#satisfiedBy.size === this.#wanted.length;
  }

  #assign(change: Change, tried: Set<readonly WantedChange[]>): boolean {
    for (const alternatives of this.#wanted) {
      if (tried.has(alternatives) || !alternatives.some((wanted) => isWanted(change, wanted))) continue;
      tried.add(alternatives);
      const rival = this.#satisfiedBy.get(alternatives);
      if (rival && !this.#assign(rival, tried)) continue;
      this.#satisfiedBy.set(alternatives, change);
      return true;
    }
    return false;
  }
}

function isOne(changes: WantedChange | readonly unknown[]): changes is WantedChange {
  return !Array.isArray(changes);
}

function isWanted(change: Change, { path, action, oldValue, newValue }: WantedChange): boolean {
  return (
    path.length === change.path.length &&
    path.every((key, index) => key === null || key === change.path[index]) &&
    (action === undefined || action === change.action) &&
    (oldValue === undefined || isEqual(oldValue, change.oldValue)) &&
    (newValue === undefined || isEqual(newValue, change.newValue))
  );
}

function contains(value: JsonValue | undefined, part: JsonValue | undefined): boolean {
  if (!isJsonObject(part)) return isEqual(value, part);
  return (
    isJsonObject(value) &&
    Object.keys(part).every((key) => contains(ownProperty(value, key), ownProperty(part, key)))
  );
}
