/**
 * Decides which parts of a VM leave the host. Parts that are or may contain secrets are removed, not masked: a reader of
 * the fleet cannot even see that they exist. Pure.
 */
import { isJsonArray, isJsonObject, asJson, type JsonValue } from '../vm/json.js';
import { isSecret } from '../vm/secrets.js';
import type { VmObject } from '../vm/vm-object.js';

/** Exceptions from the default. */
export interface RedactionOptions {
  /** Names to send although they are secret: `customer_metadata`, `vnc_password`. */
  readonly include?: readonly string[];
  /** Further properties of VMs to remove. */
  readonly exclude?: readonly string[];
}

/** A function that removes everything that must not leave the host. The rest is shared with the VM, not copied. */
export function redaction({ include = [], exclude = [] }: RedactionOptions = {}): (vm: VmObject) => VmObject {
  const included = new Set(include);
  const excluded = new Set(exclude);
  const isLeftOut = (name: string) => !included.has(name) && (secretProperties.has(name) || isSecret([name]));
  return (vm) => {
    const kept = Object.entries(asJson(vm)).filter(([name]) => !excluded.has(name) && !isLeftOut(name));
    return Object.fromEntries(
      kept.map(([name, value]) => [name, value === undefined ? undefined : without(value, isLeftOut)]),
    ) as unknown as VmObject;
  };
}

/** Entire properties into which customers and operators put secrets. */
const secretProperties: ReadonlySet<string> = new Set(['customer_metadata', 'internal_metadata']);

function without(value: JsonValue, isLeftOut: (name: string) => boolean): JsonValue {
  if (isJsonArray(value)) {
    const elements = value.map((element) => without(element, isLeftOut));
    return elements.some((element, index) => element !== value[index]) ? elements : value;
  }
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value);
  const kept = entries.flatMap(([name, member]) =>
    isLeftOut(name) || member === undefined ? [] : [[name, without(member, isLeftOut)] as const],
  );
  const same = kept.length === entries.length && kept.every(([name, member]) => member === value[name]);
  return same ? value : Object.fromEntries(kept);
}
