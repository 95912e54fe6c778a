/** JSON values as YAML, for people. Text is written as JSON where YAML could take it for something else. Pure. */
import { isJsonArray, isJsonObject, type JsonValue } from '../vm/json.js';
import { printableJson } from './printable.js';

/** A document: a list of objects, each introduced by a dash. */
export function yamlText(values: readonly object[]): string {
  return values.length === 0 ? '[]\n' : lines(values as unknown as JsonValue, '').join('');
}

function lines(value: JsonValue, indent: string): string[] {
  if (isJsonArray(value)) {
    return value.map((element) => {
      const [first = '', ...rest] = isLeaf(element)
        ? [`${scalar(element)}\n`]
        : lines(element, `${indent}  `);
      return `${indent}- ${first.trimStart()}${rest.join('')}`;
    });
  }
  if (!isJsonObject(value)) return [`${indent}${scalar(value)}\n`];
  return Object.entries(value).flatMap(([key, member]) => {
    if (member === undefined) return [];
    if (isLeaf(member)) return [`${indent}${scalar(key)}: ${scalar(member)}\n`];
    return [`${indent}${scalar(key)}:\n`, ...lines(member, `${indent}  `)];
  });
}

/** A value written on the line of its key: a scalar, or an empty list or object. */
function isLeaf(value: JsonValue): boolean {
  if (isJsonArray(value)) return value.length === 0;
  return !isJsonObject(value) || Object.keys(value).length === 0;
}

function scalar(value: JsonValue): string {
  if (typeof value !== 'string') return printableJson(value);
  const isPlain = /^[A-Za-z_/][\w./-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain ? value : printableJson(value);
}
