/** Files that hold one JSON object. Every key, even `__proto__`, stays an own property. */
import type { JsonObject, JsonValue } from '../vm/json.js';
import { FileError } from './files.js';

/**
 * The object in the text of a file.
 *
 * @throws FileError when it holds anything but a JSON object.
 */
export function parseJsonFile(path: string, text: string): JsonObject {
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new FileError(path, `is not JSON: ${(cause as SyntaxError).message}`, { cause });
  }
  if (isObject(value)) return value;
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
  throw new FileError(path, `expected a JSON object, got ${got}`);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
