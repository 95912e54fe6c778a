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

/**
 * A value in which every part that is as it was before is the very same object: who compares the two, or has made
 * something of such a part, need not look into it again.
 */
export function keepEqual<T extends JsonValue | undefined>(before: JsonValue | undefined, now: T): T;
export function keepEqual(before: JsonValue | undefined, now: JsonValue | undefined): JsonValue | undefined {
  if (isEqual(before, now)) return before;
  if (isJsonArray(before) && isJsonArray(now)) {
    // An element stands where it was, counted from the start, or from the end when others were put in or taken out before it.
    const fromEnd = before.length - now.length;
    return now.map((element, index) => {
      const isThere = fromEnd === 0 || isEqual(before[index], element);
      return keepEqual(before[isThere ? index : index + fromEnd], element);
    });
  }
  if (!isJsonObject(before) || !isJsonObject(now)) return now;
  if (!Object.values(now).some((member) => typeof member === 'object')) return now;
  return Object.fromEntries(
    Object.entries(now).map(([key, member]) => [key, keepEqual(ownProperty(before, key), member)]),
  );
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
