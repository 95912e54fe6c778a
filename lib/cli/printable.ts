/**
 * Text from a VM or a listener, made safe to show: a guest's alias must not move the operator's cursor, set the
 * window's title, or turn the line around. Control characters (C1 and line separators too) and the marks that
 * change the direction of text become `\uXXXX`.
 */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** For a line of text or of fields: newlines are escaped, too. */
export function printable(text: string): string {
  return text.replace(unsafe, escape);
}

/** JSON that still parses to the same value: JSON.stringify escapes characters below U+0020 but not DEL and C1. */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(unsafeInJson, escape);
}

const unsafeInJson = /[\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function escape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
