/** Projection of VMs onto some of their fields: `uuid,state,nics.ip` keeps uuid and state, and the ip of each nic. */
import { isJsonArray, isJsonObject, ownProperty, type JsonObject, type JsonValue } from './json.js';
import { parseSelectors, propertyOf } from './selector.js';
import type { VmObject } from './vm-object.js';

/** Parsed fields: what to keep, as a tree of keys. */
export interface Fields {
  /** Everything from here down is kept. */
  readonly whole: boolean;
  readonly below: ReadonlyMap<string, Fields>;
}

/**
 * Parses a comma-separated list of dotted keys (selector.ts).
 *
 * @throws QueryError that names the unknown ones.
 */
export function parseFields(text: string): Fields {
  const root = emptyTree();
  for (const selector of parseSelectors(text.split(','))) {
    let tree = root;
    // Every element is what an array's key means anyway: `nics.*.ip` keeps what `nics.ip` keeps.
    for (const key of selector.filter((key) => key !== '*')) {
      const next = tree.below.get(key) ?? emptyTree();
      tree.below.set(key, next);
      tree = next;
    }
    tree.whole = true;
  }
  return root;
}

/** The VM with only these fields, in their order. Fields that the VM lacks are absent. */
export function project(fields: Fields, vm: VmObject): JsonObject {
  return Object.fromEntries(
    [...fields.below].flatMap(([property, tree]) => entry(property, keep(propertyOf(vm, property), tree))),
  );
}

interface Tree extends Fields {
  whole: boolean;
  readonly below: Map<string, Tree>;
}

function emptyTree(): Tree {
  return { whole: false, below: new Map() };
}

function keep(value: JsonValue | undefined, fields: Fields): JsonValue | undefined {
  if (fields.whole) return value;
  if (isJsonArray(value)) {
    const kept = value.map((element, index) => keep(element, fields.below.get(String(index)) ?? fields));
    return kept.filter((element) => element !== undefined);
  }
  if (!isJsonObject(value)) return undefined;
  const members = membersOf(value, fields, '');
  return members.length > 0 ? Object.fromEntries(members) : undefined;
}

/** As in selectors, a key of tags or metadata may contain dots: then it spans several levels of the tree. */
function membersOf(object: JsonObject, fields: Fields, prefix: string): [string, JsonValue][] {
  return [...fields.below].flatMap(([key, below]) => [
    ...entry(prefix + key, keep(ownProperty(object, prefix + key), below)),
    ...membersOf(object, below, `${prefix}${key}.`),
  ]);
}

function entry(key: string, value: JsonValue | undefined): [string, JsonValue][] {
  return value === undefined ? [] : [[key, value]];
}
