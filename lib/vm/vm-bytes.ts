/**
 * A VM's JSON. The JSON of a big part, such as thousands of snapshots, is reused as long as that part is the same object:
 * changing the quota of such a VM costs no more than for any other.
 */
import { asJson, isJsonArray, isJsonObject, type JsonObject, type JsonValue } from './json.js';
import type { VmObject } from './vm-object.js';

/** An array of more elements is big; and an object of more keys, or of more text, UTF-16 units. */
const bigFrom = { elements: 100, text: 16_384 };

const bigParts = new WeakMap<object, Buffer>();

/** The JSON of a VM, UTF-8. */
export function vmBytes(vm: VmObject): Buffer {
  const members = Object.entries(asJson(vm));
  if (!members.some(([, value]) => isBig(value))) return encode(JSON.stringify(vm));
  const pieces: Buffer[] = [];
  let small: Record<string, JsonValue | undefined> = {};
  const put = (bytes: Buffer) => pieces.push(pieces.length === 0 ? open : comma, bytes);
  const flush = () => {
    const json = JSON.stringify(small).slice(1, -1);
    if (json !== '') put(Buffer.from(json));
    small = {};
  };
  for (const [key, value] of members) {
    if (!isBig(value)) {
      small[key] = value;
      continue;
    }
    flush();
    put(Buffer.from(`${JSON.stringify(key)}:`));
    pieces.push(bytesOf(value));
  }
  flush();
  return Buffer.concat([...pieces, close]);
}

function isBig(value: JsonValue | undefined): value is readonly JsonValue[] | JsonObject {
  if (isJsonArray(value)) return value.length > bigFrom.elements;
  if (!isJsonObject(value)) return false;
  let text = 0;
  let keys = 0;
  for (const key in value) {
    const member = value[key];
    text += typeof member === 'string' ? member.length : 0;
    if (++keys > bigFrom.elements || text > bigFrom.text) return true;
  }
  return false;
}

function bytesOf(part: readonly JsonValue[] | JsonObject): Buffer {
  let bytes = bigParts.get(part);
  if (bytes === undefined) {
    bytes = isJsonArray(part) ? arrayBytes(part) : encode(JSON.stringify(part));
    bigParts.set(part, bytes);
  }
  return bytes;
}

/** Elements of an array that stand together, and their JSON without brackets. */
interface Stretch {
  readonly elements: readonly JsonValue[];
  readonly bytes: Buffer;
}

/** By their last element. */
const stretches = new WeakMap<object, Stretch>();
const stretchLength = 500;

/** In chunks, counted from the end: when an element is added in front, such as a new snapshot, only one chunk is made again. */
function arrayBytes(array: readonly JsonValue[]): Buffer {
  const pieces: Buffer[] = [];
  for (let end = array.length; end > 0; end -= stretchLength) {
    pieces.unshift(stretchBytes(array.slice(Math.max(0, end - stretchLength), end)), comma);
  }
  return Buffer.concat([openArray, ...pieces.slice(0, -1), closeArray]);
}

function stretchBytes(elements: readonly JsonValue[]): Buffer {
  const last = elements.at(-1);
  const known = typeof last === 'object' && last !== null ? stretches.get(last) : undefined;
  if (known?.elements.length === elements.length && known.elements.every((each, n) => each === elements[n]))
    return known.bytes;
  const bytes = Buffer.from(JSON.stringify(elements).slice(1, -1));
  if (typeof last === 'object' && last !== null) stretches.set(last, { elements, bytes });
  return bytes;
}

/** In its own memory: one of node's shared slabs would stay allocated until the last VM in it is gone. */
function encode(json: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(json));
  bytes.write(json);
  return bytes;
}

const open = Buffer.from('{');
const comma = Buffer.from(',');
const close = Buffer.from('}');
const openArray = Buffer.from('[');
const closeArray = Buffer.from(']');
