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
 * An own property of a JSON object, or undefined. Never one of `Object.prototype`'s, so that keys such as `__proto__`,
 * `constructor` or `toString` are keys like any other.
 */
export function ownProperty(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** The same object seen as JSON, for code that walks it key by key. For objects made of JSON values only. */
export function asJson(object: object): JsonObject {
  return object as JsonObject;
}

/**
 * A copy of a JSON value that takes as little memory as possible, for long-lived data. V8 represents a substring as a
 * reference into the whole, so one name cut from a listing would keep megabytes alive; and an object built key by key
 * takes several times the memory of a parsed one. `undefined` values are left out.
 */
export function compact<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
