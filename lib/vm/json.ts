/** A value that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object. A `__proto__` key is an own property like any other. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** Whether a JSON value is an object: neither null nor an array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a JSON value is an array. Unlike `Array.isArray` it keeps the element type. */
export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/**
 * An own property of a JSON object, or undefined. Never what `Object.prototype` has, so that keys such as
 * `__proto__`, `constructor` or `toString` are keys like any other.
 */
export function ownProperty(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The same object seen as JSON, for code that walks it key by key. For objects made of JSON values only. */
export function asJson(object: object): JsonObject {
  return object as JsonObject;
}

/**
 * A copy of a JSON value in as little memory as it needs, for what is kept for long. V8 keeps a part of a string as a
 * reference into the whole, so that one name cut from a listing would keep megabytes of it; and an object that was built key
 * by key takes several times the memory of one that was parsed. What is `undefined` is left out.
 */
export function compact<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
