/**
 * The types of values in the zone XML, and how each is parsed. Text that is not a valid value gives undefined, so that
 * neither NaN nor a partial value reaches a VM object.
 */
import type { XmlBoolean } from './vm-object.js';

/** The types, and what each becomes. */
export interface ValueTypes {
  readonly string: string;
  /** `true` or `false`; any other text is kept. */
  readonly boolean: XmlBoolean;
  readonly number: number;
  /** Bytes in the XML, MiB here. */
  readonly MiB: number;
  /** Separated by `,`; an empty text is an empty list. */
  readonly list: readonly string[];
  /** A list of numbers. */
  readonly numbers: readonly number[];
  /** Base64 of UTF-8 text. */
  readonly base64: string;
}

export type ValueType = keyof ValueTypes;

/** Parses text as a value of a type; undefined when it is not one. */
export function readValue(type: ValueType, text: string): ValueTypes[ValueType] | undefined {
  switch (type) {
    case 'string':
      return text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'number':
      return readNumber(text);
    case 'MiB': {
      const bytes = readNumber(text);
      return bytes === undefined ? undefined : toMiB(bytes);
    }
    case 'list':
      return readList(text);
    case 'numbers': {
      const numbers = readList(text).map(readNumber);
      return numbers.every((number) => number !== undefined) ? numbers : undefined;
    }
    case 'base64':
      return readBase64(text);
  }
}

/** Bytes as MiB, with a fraction. */
export function toMiB(bytes: number): number {
  return bytes / 1_048_576;
}

/** Decimal only: `Number` alone would take an empty text for 0 and `0x10` for 16. */
function readNumber(text: string): number | undefined {
  return /^\s*[+-]?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}

function readList(text: string): readonly string[] {
  return text === '' ? [] : text.split(',');
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function readBase64(text: string): string | undefined {
  let bytes: string;
  try {
    bytes = atob(text);
  } catch {
    return undefined; // atob has one reason to throw: the text is not base64
  }
  return utf8.decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}
