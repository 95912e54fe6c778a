/**
 * Objects made of parts. Neither `Object.assign` nor a literal that begins with a spread: for the thousands of a start the
 * first takes four times as long, and for each of the second V8 makes a hidden class.
 */

type Part = object | false | undefined;

type Merged<Parts extends readonly Part[]> = Parts extends readonly [
  infer First,
  ...infer Others extends readonly Part[],
]
  ? PartOf<First> & Merged<Others>
  : unknown;

/** A part that may be left out. */
type PartOf<P> = [P] extends [object] ? P : Partial<Extract<P, object>>;

/** All parts in one object, the later ones winning; `false` and `undefined` are no parts. */
export function merge<const Parts extends readonly Part[]>(...parts: Parts): Merged<Parts> {
  const merged: Record<string, unknown> = {};
  for (const part of parts as readonly (Record<string, unknown> | false | undefined)[]) {
    if (part === undefined || part === false) continue;
    for (const key of Object.keys(part)) merged[key] = part[key];
  }
  return merged as Merged<Parts>;
}

/**
 * The same properties in a quarter of the memory, for a large object that is kept: V8 makes a hash table of one that was
 * built key by key, but not of one that was parsed.
 */
export function packed<T extends object>(object: T): T {
  const keys = Object.keys(object).map((key) => `${JSON.stringify(key)}:0`);
  return Object.assign(JSON.parse(`{${keys.join(',')}}`) as T, object);
}
