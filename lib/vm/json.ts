/** A value that JSON can hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object. A `__proto__` key is an own property like any other. */
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}
