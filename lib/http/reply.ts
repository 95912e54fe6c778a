/** How an answer is sent: JSON with its length, errors in one form. */
import type { ServerResponse } from 'node:http';
import { lengthOf } from '../vm/vm-bytes.js';

/** The body of an error answer: `code` is for programs, `message` for people. */
export type ErrorCode = keyof typeof statusCodes;

const statusCodes = {
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  BodyTooLarge: 413,
  ExpectationFailed: 417,
  HeadersTooLarge: 431,
  NotReady: 503,
  LoadError: 503,
  TooManyListeners: 503,
  TooManyAnswers: 503,
  Timeout: 504,
} as const;

/** The HTTP status of an error. */
export function statusOf(code: ErrorCode): number {
  return statusCodes[code];
}

/** The JSON of an error. */
export function errorBody(code: ErrorCode, message: string): Buffer {
  return Buffer.from(JSON.stringify({ code, message }));
}

/** Sends JSON given as bytes. Node omits the body for a HEAD request. */
export function replyBytes(
  response: ServerResponse,
  bytes: Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  replyParts(response, [bytes], headers);
}

/** The same, in parts. */
export function replyParts(
  response: ServerResponse,
  parts: readonly Buffer[],
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': lengthOf(parts),
    ...headers,
  });
  endWith(response, parts);
}

/** Sends the body. */
export function endWith(response: ServerResponse, parts: readonly Buffer[]): void {
  for (const part of parts.slice(0, -1)) response.write(part);
  response.end(parts.at(-1));
}

/** Sends a value as JSON. */
export function replyJson(response: ServerResponse, value: unknown): void {
  replyBytes(response, Buffer.from(JSON.stringify(value)));
}

/** Sends an error as `{"code": …, "message": …}`. */
export function replyError(
  response: ServerResponse,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = errorBody(code, message);
  response.writeHead(statusOf(code), {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}
