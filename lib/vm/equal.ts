/** Equality of JSON values. */
import { isJsonArray, isJsonObject, ownProperty, type JsonObject, type JsonValue } from './json.js';

/** Whether two values are the same JSON: arrays in order, objects whatever the order of their keys. */
export function isEqual(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (isJsonArray(a)) {
    return isJsonArray(b) && a.length === b.length && a.every((element, index) => isEqual(element, b[index]));
  }
  return isJsonObject(a) && isJsonObject(b) && areEqualObjects(a, b);
}

/** A text that two values share exactly when they are equal: JSON with its keys sorted. */
export function canonical(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member ?? null)}`);
  return `{${members.join(',')}}`;
}

function areEqualObjects(a: JsonObject, b: JsonObject): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], ownProperty(b, key)))
  );
}
