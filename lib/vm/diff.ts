/**
 * What changed between two versions of a VM, as `modify` events carry it. Complete: versions that serialise differently,
 * other than in the order of an object's keys, have at least one change. Parts shared by both versions cost nothing.
 */
import { canonical, isEqual } from './equal.js';
import { asJson, isJsonArray, isJsonObject, ownProperty, type JsonObject, type JsonValue } from './json.js';
import { prettyPath, type Path } from './path.js';
import type { VmObject } from './vm-object.js';

/** One change. */
export interface Change {
  /** `path` as text, for people. */
  readonly prettyPath: string;
  /** Keys from the VM down; null stands for some element of an array. */
  readonly path: Path;
  readonly action: 'added' | 'removed' | 'changed';
  /** Absent when added. */
  readonly oldValue?: JsonValue;
  /** Absent when removed. */
  readonly newValue?: JsonValue;
  /** Which disk (its path) or nic (its MAC), when the change is inside one. */
  readonly ident?: string;
}

/**
 * The changes from one version of a VM to another: first what was removed or changed, in the order of the old version's
 * keys, then what was added.
 *
 * - Objects are compared key by key, and the deepest differing value is reported.
 * - Disks and nics pair up by path and MAC. A pair's differences carry `ident`; a disk or nic without a
 *   partner is removed or added.
 * - Elements of other arrays are compared by value. When none is gone or new but the
 *   arrays still differ, in order or in the number of equal elements, the array itself is reported as changed.
 */
export function diff(oldVm: VmObject, newVm: VmObject): readonly Change[] {
  const found: Found = { removedOrChanged: [], added: [] };
  compareObjects(asJson(oldVm), asJson(newVm), { path: [] }, found);
  return [...found.removedOrChanged, ...found.added];
}

/** The key by which the elements of these top-level arrays pair up. */
const pairingKeys: ReadonlyMap<string | null | undefined, string> = new Map([
  ['disks', 'path'],
  ['nics', 'mac'],
]);

interface Found {
  readonly removedOrChanged: Change[];
  readonly added: Change[];
}

/** Where in a VM a comparison is. */
interface Place {
  readonly path: Path;
  readonly ident?: string;
}

function compare(old: JsonValue | undefined, now: JsonValue | undefined, place: Place, found: Found): void {
  if (isJsonObject(old) && isJsonObject(now)) compareObjects(old, now, place, found);
  else if (isJsonArray(old) && isJsonArray(now)) compareArrays(old, now, place, found);
  else report(old, now, place, found);
}

function compareObjects(old: JsonObject, now: JsonObject, place: Place, found: Found): void {
  for (const key of Object.keys(old)) {
    const oldMember = old[key];
    const newMember = ownProperty(now, key);
    if (oldMember !== newMember) compare(oldMember, newMember, below(place, key), found);
  }
  for (const key of Object.keys(now)) {
    if (!Object.hasOwn(old, key)) report(undefined, now[key], below(place, key), found);
  }
}

function compareArrays(
  old: readonly JsonValue[],
  now: readonly JsonValue[],
  place: Place,
  found: Found,
): void {
  if (isEqual(old, now)) return;
  const before = found.removedOrChanged.length + found.added.length;

  const pairingKey = place.path.length === 1 ? pairingKeys.get(place.path[0]) : undefined;
  const pairs = pairingKey === undefined ? [] : pairUp(old, now, pairingKey);
  for (const [oldElement, newElement, ident] of pairs) {
    if (oldElement !== newElement) compare(oldElement, newElement, { ...below(place, null), ident }, found);
  }
  const paired = new Set<JsonValue>(pairs.flatMap(([oldElement, newElement]) => [oldElement, newElement]));
  const alone = (elements: readonly JsonValue[]) =>
    paired.size === 0 ? elements : elements.filter((element) => !paired.has(element));
  compareByValue(alone(old), alone(now), below(place, null), found);

  if (found.removedOrChanged.length + found.added.length === before) report(old, now, place, found);
}

/** What both begin and end with, the very same elements, is in both: of thousands there may be few left. */
function compareByValue(
  old: readonly JsonValue[],
  now: readonly JsonValue[],
  element: Place,
  found: Found,
): void {
  const shorter = Math.min(old.length, now.length);
  let start = 0;
  while (start < shorter && old[start] === now[start]) start++;
  let end = 0;
  while (end < shorter - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  for (const gone of without(old.slice(start, old.length - end), now)) {
    report(gone, undefined, element, found);
  }
  for (const added of without(now.slice(start, now.length - end), old)) {
    report(undefined, added, element, found);
  }
}

/** The elements that others have not, by value. */
function without(elements: readonly JsonValue[], others: readonly JsonValue[]): readonly JsonValue[] {
  if (elements.length <= fewElements) return elements.filter((element) => !isAmong(others, element));
  const known = new Set(others.map(canonical));
  return elements.filter((element) => !known.has(canonical(element)));
}

/** For so few it is quicker to look through all others than to make a text of each. */
const fewElements = 4;

function isAmong(values: readonly JsonValue[], value: JsonValue): boolean {
  if (!isJsonObject(value)) return values.some((other) => isEqual(other, value));
  // Nearly all others differ in the first thing that is no object.
  const [key, member] = Object.entries(value).find(([, each]) => typeof each !== 'object') ?? [];
  return values.some(
    (other) =>
      isJsonObject(other) &&
      (key === undefined || ownProperty(other, key) === member) &&
      isEqual(other, value),
  );
}

/** Elements of both arrays with the same text under `key`, in old order. One that has none, or shares it, stays alone. */
function pairUp(old: readonly JsonValue[], now: readonly JsonValue[], key: string) {
  const olds = byIdent(old, key);
  const nows = byIdent(now, key);
  return [...olds].flatMap(([ident, oldElement]) => {
    const newElement = nows.get(ident);
    return oldElement && newElement ? [[oldElement, newElement, ident] as const] : [];
  });
}

/** Elements by their text under `key`; undefined where several have the same. */
function byIdent(elements: readonly JsonValue[], key: string): Map<string, JsonObject | undefined> {
  const known = new Map<string, JsonObject | undefined>();
  for (const element of elements) {
    const ident = isJsonObject(element) ? ownProperty(element, key) : undefined;
    if (!isJsonObject(element) || typeof ident !== 'string') continue;
    known.set(ident, known.has(ident) ? undefined : element);
  }
  return known;
}

function below({ path, ...rest }: Place, key: string | null): Place {
  return { path: [...path, key], ...rest };
}

function report(
  oldValue: JsonValue | undefined,
  newValue: JsonValue | undefined,
  { path, ident }: Place,
  found: Found,
): void {
  if (oldValue === undefined && newValue === undefined) return;
  const action = oldValue === undefined ? 'added' : newValue === undefined ? 'removed' : 'changed';
  (action === 'added' ? found.added : found.removedOrChanged).push({
    prettyPath: prettyPath(path),
    path,
    action,
    ...(oldValue !== undefined && { oldValue }),
    ...(newValue !== undefined && { newValue }),
    ...(ident !== undefined && { ident }),
  });
}
