/** How an answer is sent: JSON with its length, errors in one form. */
import type { ServerResponse } from 'node:http';

/** What an error answer says: `code` is for programs, `message` for people. */
export type ErrorCode = 'NotFound' | 'MethodNotAllowed' | 'NotReady' | 'LoadError' | 'Timeout' | 'BadRequest';

const statusCodes: Record<ErrorCode, number> = {
  BadRequest: 400,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotReady: 503,
  LoadError: 503,
  Timeout: 504,
};

/** Sends JSON that is ready as bytes. Node leaves out the body when the request is a HEAD. */
export function replyBytes(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
  response.end(bytes);
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
  headers: Record<string, string> = {},
): void {
  const bytes = Buffer.from(JSON.stringify({ code, message }));
  response.writeHead(statusCodes[code], {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}
