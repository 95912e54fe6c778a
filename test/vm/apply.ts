/** The reverse of a diff: what a consumer of `modify` events that keeps its own copy would do with their changes. */
import { canonical, isEqual } from '../../lib/vm/equal.js';
import type { Change } from '../../lib/vm/diff.js';
import {
  asJson,
  isJsonArray,
  isJsonObject,
  ownProperty,
  type JsonObject,
  type JsonValue,
} from '../../lib/vm/json.js';

/** The VM after these changes. Elements that were added to an array are at its end. */
export function apply(vm: object, changes: readonly Change[]): JsonObject {
  return changes.reduce<JsonObject>(
    (result, change) => applied(result, change.path, change) as JsonObject,
    asJson(vm),
  );
}

/** Of an array that changed by its elements, the changes do not say in which order they are, nor how many equal ones. */
export function unordered(value: JsonValue): string {
  return canonical(withoutOrder(value));
}

function withoutOrder(value: JsonValue): JsonValue {
  if (isJsonArray(value)) {
    return [...new Set(value.map(unordered))].sort().map((text) => JSON.parse(text) as JsonValue);
  }
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, withoutOrder(member ?? null)]),
  );
}

function applied(value: JsonValue | undefined, path: Change['path'], change: Change): JsonValue | undefined {
  const [key, ...deeper] = path;
  if (key === undefined) return change.newValue;
  if (key !== null) {
    const member = applied(ownProperty(value as JsonObject, key), deeper, change);
    const others = Object.entries(value as JsonObject).filter(([name]) => name !== key);
    return Object.fromEntries(member === undefined ? others : [...others, [key, member]]);
  }
  const elements = value as readonly JsonValue[];
  if (change.action === 'added' && deeper.length === 0) return [...elements, change.newValue ?? null];
  const pairingKey = change.path[0] === 'disks' ? 'path' : 'mac';
  const index = elements.findIndex((element) =>
    deeper.length === 0
      ? isEqual(element, change.oldValue)
      : isJsonObject(element) && ownProperty(element, pairingKey) === change.ident,
  );
  if (index < 0) throw new Error(`nothing to change at ${change.prettyPath}`);
  if (deeper.length === 0) return elements.toSpliced(index, 1);
  return elements.with(index, applied(elements[index], deeper, change) as JsonValue);
}
