/** One change of a VM as a line for people. describe.ts says which changes have a line of their own. Pure. */
import type { Change } from './diff.js';
import { isJsonArray, isJsonObject, type JsonValue } from './json.js';
import { isSecret, mask } from './secrets.js';
import { sizesText, sizeText, unitOf } from './units.js';
import type { VmObject } from './vm-object.js';

/**
 * A snapshot that grew appears as one removed and one added with the same name: joins these into one change, with the
 * name as `ident`.
 */
export function joinReplaced(changes: readonly Change[]): Change[] {
  const joined: Change[] = [];
  for (const change of changes) {
    const name = change.action === 'added' ? snapshotName(change.path, change.newValue) : undefined;
    const at = joined.findIndex(
      ({ action, path, oldValue }) =>
        name !== undefined && action === 'removed' && snapshotName(path, oldValue) === name,
    );
    const removed = joined[at];
    if (removed?.oldValue === undefined || name === undefined) joined.push(change);
    else joined[at] = { ...change, action: 'changed', oldValue: removed.oldValue, ident: name };
  }
  return joined;
}

function snapshotName(path: Change['path'], value: JsonValue | undefined): string | undefined {
  return path[0] === 'snapshots' && path.length === 2 ? textOf(value, 'name') : undefined;
}

/** A change as a line: `quota 20 -> 73 GiB`, `tag role = db`. `vm` is the VM after it, for the names of its nics. */
export function changeText(change: Change, vm: VmObject | undefined): string {
  const [property = null, ...keys] = change.path;
  switch (property) {
    case 'alias':
      if (change.action !== 'changed') break;
      return `renamed ${valueText(change.oldValue)} -> ${valueText(change.newValue)}`;
    case 'snapshots':
      return snapshotText(change);
    case 'nics':
      return elementText('nic', nicName(change, vm), change);
    case 'disks':
    case 'pci_devices':
      return elementText(property === 'disks' ? 'disk' : 'device', diskName(change), change);
    case 'tags':
      return `tag ${named(keys, change)}`;
    case 'customer_metadata':
      return `metadata ${named(keys, change)}`;
    case 'internal_metadata':
      return `internal metadata ${named(keys, change)}`;
    case 'routes':
      return `route ${named(keys, change)}`;
    case 'filesystems':
    case 'datasets':
    case 'resolvers':
      if (keys.length === 0) break;
      return `${property.slice(0, -1)} ${elementName(change)} ${change.action}`;
    case 'max_physical_memory':
      if (vm?.hvm) break;
      return `ram ${difference(change)}`;
    case null:
      break;
  }
  return `${change.prettyPath.replace('.*', '')} ${difference(change)}`;
}

function snapshotText(change: Change): string {
  const { action, oldValue, newValue, ident, prettyPath } = change;
  const name = textOf(newValue ?? oldValue, 'name');
  if (ident !== undefined && action === 'changed') {
    const [old, now] = [oldValue, newValue].map((value) => (isJsonObject(value) ? value['size'] : undefined));
    return typeof old === 'number' && typeof now === 'number' && old !== now
      ? `snapshot ${ident} ${sizesText(old, now, 'MiB')}`
      : `snapshot ${ident} replaced`;
  }
  if (name === undefined) return `${prettyPath} ${difference(change)}`;
  return `snapshot ${name} ${action === 'added' ? 'taken' : 'deleted'}`;
}

/** A nic or disk that was added or removed, or one of whose properties changed. */
function elementText(what: string, name: string | undefined, change: Change): string {
  const { path, action, oldValue, newValue } = change;
  const property = path.slice(2).join('.');
  if (property !== '') return `${[what, name, property].filter(Boolean).join(' ')} ${difference(change)}`;
  if (path.length < 2) return `${what}s ${difference(change)}`;
  const value = newValue ?? oldValue;
  const size =
    isJsonObject(value) && typeof value['size'] === 'number' ? sizeText(value['size'], 'MiB') : undefined;
  const detail = size ?? textOf(value, 'ip');
  return `${what} ${name ?? ''}${action === 'added' && detail !== undefined ? ` added (${detail})` : ` ${action}`}`;
}

/** `net0`, else its MAC. */
function nicName({ ident, newValue, oldValue }: Change, vm: VmObject | undefined): string | undefined {
  if (ident === undefined)
    return textOf(newValue ?? oldValue, 'interface') ?? textOf(newValue ?? oldValue, 'mac');
  return vm?.nics.find(({ mac }) => mac === ident)?.interface ?? ident;
}

/** `disk0` of `/dev/zvol/rdsk/zones/<uuid>/disk0`; `<uuid>-disk0` in the older layout. */
function diskName({ ident, newValue, oldValue }: Change): string | undefined {
  const path = ident ?? textOf(newValue ?? oldValue, 'path');
  const last = path?.slice(path.lastIndexOf('/') + 1);
  return last?.replace(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}-/, '');
}

function elementName({ newValue, oldValue }: Change): string {
  const value = newValue ?? oldValue;
  return textOf(value, 'target') ?? valueText(value);
}

/** `role web -> db`, `role = web`, `role removed`: a member of tags or metadata. */
function named(keys: Change['path'], change: Change): string {
  const key = keys.map((each) => each ?? '*').join('.');
  if (isSecret(change.path) && change.newValue === mask)
    return `${key} ${change.action === 'added' ? 'set' : 'changed'} (${mask})`;
  switch (change.action) {
    case 'added':
      return `${key} = ${valueText(change.newValue)}`;
    case 'removed':
      return `${key} removed`;
    case 'changed':
      return `${key} ${difference(change)}`;
  }
}

/** How the value changed: `20 -> 73 GiB`, `set to true`, `removed (was true)`. */
export function difference({ path, action, oldValue, newValue }: Change): string {
  if (isSecret(path) && (newValue ?? oldValue) === mask)
    return action === 'changed' ? `changed (${mask})` : action;
  const unit = unitOf(path);
  const none = path[0] === 'quota' && path.length === 1; // 0 is no quota
  const text = (value: JsonValue | undefined) => {
    if (none && value === 0) return 'none';
    return unit !== undefined && typeof value === 'number' ? sizeText(value, unit) : valueText(value);
  };
  if (action === 'added') return `set to ${text(newValue)}`;
  if (action === 'removed') return `removed (was ${text(oldValue)})`;
  const areSizes = unit !== undefined && typeof oldValue === 'number' && typeof newValue === 'number';
  if (areSizes && !(none && (oldValue === 0 || newValue === 0))) return sizesText(oldValue, newValue, unit);
  return `${text(oldValue)} -> ${text(newValue)}`;
}

/** The longest value that a line shows. */
const maxValueLength = 60;

/** A value on a line: truncated; a list is separated by commas. */
export function valueText(value: JsonValue | undefined): string {
  const text = wholeText(value);
  return text.length > maxValueLength ? `${text.slice(0, maxValueLength - 3)}...` : text;
}

function wholeText(value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === '') return '""';
  if (isJsonArray(value) && value.every((element) => typeof element !== 'object')) {
    return value.length === 0 ? 'none' : value.map(wholeText).join(',');
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function textOf(value: JsonValue | undefined, key: string): string | undefined {
  const text = isJsonObject(value) ? value[key] : undefined;
  return typeof text === 'string' && text !== '' ? text : undefined;
}
