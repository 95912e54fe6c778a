/**
 * A VM's JSON, in parts. The bytes of a big part, such as thousands of snapshots, are shared as long as that part is the
 * same object, and never copied: changing the quota of such a VM costs no more than for any other.
 */
import { memoised } from '../memoised.js';
import { asJson, isJsonArray, isJsonObject, type JsonObject, type JsonValue } from './json.js';
import type { VmObject } from './vm-object.js';

/** An array of more elements is big; and an object of more keys, or of more text, UTF-16 units. */
const bigFrom = { elements: 100, text: 16_384 };

const bigParts = new WeakMap<object, readonly Buffer[]>();

/** The JSON of a VM, or of some fields of one, UTF-8, in parts of whole characters: one, unless something in it is big. */
export function vmBytes(vm: VmObject | JsonObject): readonly Buffer[] {
  const members = Object.entries(asJson(vm));
  if (!members.some(([, value]) => isBig(value))) return [encode(JSON.stringify(vm))];
  const parts: Buffer[] = [];
  /** What is not in a part yet. */
  let text = '{';
  let separator = '';
  let small: Record<string, JsonValue | undefined> = {};
  const flush = () => {
    const json = JSON.stringify(small).slice(1, -1);
    small = {};
    if (json === '') return;
    text += separator + json;
    separator = comma;
  };
  for (const [key, value] of members) {
    if (!isBig(value)) {
      small[key] = value;
      continue;
    }
    flush();
    parts.push(encode(`${text}${separator}${JSON.stringify(key)}:`), ...partsOf(value));
    text = '';
    separator = comma;
  }
  flush();
  return [...parts, encode(`${text}}`)];
}

/**
 * A version of a VM of which only the JSON is kept. Its object is parsed each time that somebody needs it: keeping it would
 * take twice the memory.
 */
export class VmInBytes {
  readonly bytes: readonly Buffer[];
  readonly seq: number;

  constructor(bytes: readonly Buffer[], seq: number) {
    this.bytes = bytes;
    this.seq = seq;
  }

  get vm(): VmObject {
    return JSON.parse(Buffer.concat(this.bytes).toString()) as VmObject;
  }
}

/** How many bytes these are together. */
export function lengthOf(parts: readonly Buffer[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
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

function partsOf(value: readonly JsonValue[] | JsonObject): readonly Buffer[] {
  return memoised(bigParts, value, () =>
    isJsonArray(value) ? arrayParts(value) : [encode(JSON.stringify(value))],
  );
}

/** Elements of an array that stand together, and their JSON, with a comma before each. */
interface Stretch {
  readonly elements: readonly JsonValue[];
  readonly bytes: Buffer;
}

/** By their last element. */
const stretches = new WeakMap<object, Stretch>();
const stretchLength = 200;

/** In chunks, counted from the end: when an element is added in front, such as a new snapshot, only one chunk is made again. */
function arrayParts(array: readonly JsonValue[]): readonly Buffer[] {
  const parts: Buffer[] = [];
  for (let end = array.length; end > 0; end -= stretchLength) {
    parts.unshift(stretchBytes(array.slice(Math.max(0, end - stretchLength), end)));
  }
  const [first, ...others] = parts;
  return [openArray, ...(first === undefined ? [] : [first.subarray(comma.length)]), ...others, closeArray];
}

function stretchBytes(elements: readonly JsonValue[]): Buffer {
  const last = elements.at(-1);
  const known = typeof last === 'object' && last !== null ? stretches.get(last) : undefined;
  if (known?.elements.length === elements.length && known.elements.every((each, n) => each === elements[n]))
    return known.bytes;
  const bytes = encode(`${comma}${JSON.stringify(elements).slice(1, -1)}`);
  if (typeof last === 'object' && last !== null) stretches.set(last, { elements, bytes });
  return bytes;
}

/** In its own memory: one of node's shared slabs would stay allocated until the last VM in it is gone. */
function encode(json: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(json));
  bytes.write(json);
  return bytes;
}

const comma = ',';
const openArray = Buffer.from('[');
const closeArray = Buffer.from(']');
