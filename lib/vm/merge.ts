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
  const keys = Object.keys(object) as (keyof T & string)[];
  const packed = JSON.parse(templateOf(keys)) as T;
  // Object.assign takes twice the time.
  for (const key of keys) packed[key] = object[key];
  return packed;
}

/** The JSON of an object with these keys. Kept, as most VMs have the same few dozens of sets of keys. */
function templateOf(keys: readonly string[]): string {
  const id = JSON.stringify(keys);
  let template = templates.get(id);
  if (template === undefined) {
    template = `{${keys.map((key) => `${JSON.stringify(key)}:0`).join()}}`;
    if (templates.size < maxTemplates) templates.set(id, template);
  }
  return template;
}

const templates = new Map<string, string>();
/** About 3 kB each. */
const maxTemplates = 200;
