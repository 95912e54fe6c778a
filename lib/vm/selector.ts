/**
 * Dotted keys into VM objects, as in vmadm: `alias`, `tags.role`, `nics.*.mac`, `disks.0.size`. `*` is every element; so
 * is, on an array, a key that is no index: `nics.mac`. `type` and `ram` mean what vmadm shows under these names.
 */
import { maxSelectorKeys } from '../config.js';
import { asJson, isJsonArray, isJsonObject, ownProperty, type JsonValue } from './json.js';
import type { VmObject } from './vm-object.js';
import { ramOf, typeOf, vmProperties } from './vm-properties.js';

/** An invalid query. `keys` are the wrong keys of the query, as given. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly keys: readonly string[];

  constructor(message: string, keys: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.keys = keys;
  }
}

/** A parsed dotted key. */
export type Selector = readonly [property: string, ...keys: string[]];

/**
 * Parses dotted keys.
 *
 * @throws QueryError that names all keys that do not begin with a property of VM objects, or are too deep.
 */
export function parseSelectors(keys: readonly string[]): readonly Selector[] {
  const unknown = keys.filter((key) => !selectable.has(toSelector(key)[0]));
  if (unknown.length > 0) throw new QueryError(`unknown property: ${unknown.join(', ')}`, unknown);
  const selectors = keys.map(toSelector);
  const tooDeep = keys.filter((_, index) => (selectors[index]?.length ?? 0) > maxSelectorKeys);
  if (tooDeep.length > 0) throw new QueryError(`more than ${maxSelectorKeys} keys deep`, tooDeep);
  return selectors;
}

/** All values of a VM under a selector. Objects and arrays are values, too. */
export function valuesAt(vm: VmObject, selector: Selector): readonly JsonValue[] {
  const values: JsonValue[] = [];
  someValueAt(vm, selector, (value) => {
    values.push(value);
    return false;
  });
  return values;
}

/** Whether a predicate holds for some value of a VM under a selector. */
export function someValueAt(
  vm: VmObject,
  [property, ...keys]: Selector,
  predicate: (value: JsonValue) => boolean,
): boolean {
  return someBelow(propertyOf(vm, property), keys, predicate);
}

/** A property of a VM, `type` and `ram` included. */
export function propertyOf(vm: VmObject, property: string): JsonValue | undefined {
  if (property === 'type') return typeOf(vm);
  return property === 'ram' ? ramOf(vm) : ownProperty(asJson(vm), property);
}

/**
 * The properties that dotted keys look at: what to ask the daemon for.
 *
 * @throws QueryError as parseSelectors does.
 */
export function propertiesOf(keys: readonly string[]): readonly string[] {
  const properties = parseSelectors(keys).flatMap(([property]) => madeOf.get(property) ?? [property]);
  return [...new Set(properties)];
}

/** What propertyOf computes, and what of. */
const madeOf: ReadonlyMap<string, readonly string[]> = new Map([
  ['type', ['brand']],
  ['ram', ['hvm', 'ram', 'max_physical_memory']],
]);

/** Properties that a VM has only in a fleet (lib/fleet), not on its own host. */
const ofTheFleet = ['host', 'datacenter', 'stale'];

const selectable: ReadonlySet<string> = new Set([...vmProperties, 'type', ...ofTheFleet]);

function toSelector(key: string): Selector {
  const [property = '', ...keys] = key.split('.');
  return [property, ...keys];
}

function someBelow(
  value: JsonValue | undefined,
  keys: readonly string[],
  predicate: (value: JsonValue) => boolean,
): boolean {
  if (value === undefined) return false;
  const [key, ...deeper] = keys;
  if (key === undefined) return predicate(value);
  if (isJsonArray(value)) {
    if (/^\d+$/.test(key)) return someBelow(value[Number(key)], deeper, predicate);
    const inEach = key === '*' ? deeper : keys;
    return value.some((element) => someBelow(element, inEach, predicate));
  }
  if (!isJsonObject(value)) return false;
  if (key === '*') return Object.values(value).some((member) => someBelow(member, deeper, predicate));
  // Tags and metadata have dots in their keys: `tags.triton.cns.services` is one key of tags.
  return keys.some((_, index) =>
    someBelow(ownProperty(value, keys.slice(0, index + 1).join('.')), keys.slice(index + 1), predicate),
  );
}
