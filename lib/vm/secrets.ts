/**
 * The parts of a VM that must not appear in a scrollback, a page or a log: all of internal_metadata, and everything named
 * as a password, key or token. A masked value shows that something is there, but not what, nor how long it is. Pure.
 */
import type { Change } from './diff.js';
import type { VmEvent } from './event.js';
import { asJson, isJsonArray, isJsonObject, type JsonValue } from './json.js';
import type { Path } from './path.js';
import type { VmObject } from './vm-object.js';

/** Replaces a secret. */
export const mask = '********';

/** Whether everything at this path of a VM is secret. */
export function isSecret(path: Path): boolean {
  const [property, ...keys] = path;
  if (property === 'internal_metadata') return keys.length > 0;
  return path.some(
    (key) => key !== null && (secretName.test(key) || camelSecretName.test(key) || programs.has(key)),
  );
}

/** A copy of a VM with each secret masked. Parts without secrets are shared with the original. */
export function maskVm(vm: VmObject): VmObject {
  return maskAt([], asJson(vm)) as unknown as VmObject;
}

/** A copy of a VM without its secrets. */
export function withoutSecrets(vm: VmObject): VmObject {
  return removeAt([], asJson(vm)) as unknown as VmObject;
}

/** A copy of a change with each secret in its values masked. */
export function maskChange(change: Change): Change {
  const { path, oldValue, newValue } = change;
  return {
    ...change,
    ...(oldValue !== undefined && { oldValue: maskAt(path, oldValue) }),
    ...(newValue !== undefined && { newValue: maskAt(path, newValue) }),
  };
}

/** A copy of an event with each secret in its VM and its changes masked. */
export function maskEvent<T extends VmEvent>(event: T): T {
  return {
    ...event,
    ...('vm' in event && { vm: maskVm(event.vm) }),
    ...('changes' in event && { changes: event.changes.map(maskChange) }),
  };
}

/** `root_pw`, `vnc_password`, `api-key`, `root_authorized_keys`, … */
const secretName = /(^|[^a-z])(pw|passwd|pass|passphrase|token|credential|key)s?([^a-z]|$)|password|secret/i;

/** `sshKey`, `authToken`. */
const camelSecretName = /[a-z](Key|Token|Pass)s?([^a-z]|$)/;

/** Keys of metadata that hold programs for the guest, which often carry passwords. */
const programs: ReadonlySet<string> = new Set([
  'user-script',
  'user-data',
  'operator-script',
  'cloud-init:user-data',
]);

function maskAt(path: Path, value: JsonValue): JsonValue {
  if (isSecret(path)) return mask;
  if (isJsonArray(value)) return mapShared(value, (element) => maskAt([...path, null], element));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value);
  const masked = entries.map(([key, member]) => [key, maskMember([...path, key], member)] as const);
  return masked.every(([, member], index) => member === entries[index]?.[1])
    ? value
    : Object.fromEntries(masked);
}

function maskMember(path: Path, member: JsonValue | undefined): JsonValue | undefined {
  return member === undefined ? undefined : maskAt(path, member);
}

function removeAt(path: Path, value: JsonValue): JsonValue | undefined {
  if (isSecret(path)) return undefined;
  if (isJsonArray(value)) return mapShared(value, (element) => removeAt([...path, null], element) ?? null);
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).flatMap(([key, member]) => {
    const rest = member === undefined ? undefined : removeAt([...path, key], member);
    return rest === undefined ? [] : [[key, rest] as const];
  });
  return Object.fromEntries(kept);
}

function mapShared(values: readonly JsonValue[], map: (value: JsonValue) => JsonValue): readonly JsonValue[] {
  const mapped = values.map(map);
  return mapped.every((value, index) => value === values[index]) ? values : mapped;
}
