/**
 * Answers input that never becomes a request, because node's parser refuses it or it does not arrive in time: with JSON,
 * like all answers, and the end of the connection.
 */
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { http as limits } from '../config.js';
import { errorBody, replyError, statusOf, type ErrorCode } from './reply.js';

/** Takes over cases that the server would answer without a body, or not at all. */
export function answerParserErrors(server: Server): void {
  /** The last answer begun on each connection. */
  const answers = new WeakMap<Duplex, ServerResponse>();
  server.prependListener('request', (request, response) => {
    answers.set(request.socket, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const last = answers.get(socket);
    // In the middle of an answer, or after one to the same broken request, a second answer would be nonsense.
    const isAnswered = last !== undefined && !(last.writableFinished && last.req.complete);
    if (isAnswered || !socket.writable) end(socket, '');
    else end(socket, answerTo(...refusalOf(error)));
  });
  // Without these node closes the connection of a CONNECT without a word, and answers an Expect without a body.
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    end(socket, answerTo('MethodNotAllowed', 'only GET and HEAD are allowed', 'Allow: GET, HEAD\r\n'));
  });
  server.on('checkExpectation', (request, response) => {
    const expected = JSON.stringify(request.headers.expect ?? '');
    replyError(response, 'ExpectationFailed', `cannot do what is expected: ${expected}`);
  });
}

function refusalOf({ code, message }: NodeJS.ErrnoException): [code: ErrorCode, message: string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['RequestTimeout', `the request did not arrive within ${limits.requestTimeoutMs / 1000} s`];
    case 'HPE_HEADER_OVERFLOW':
      return ['HeadersTooLarge', `request line and headers are longer than ${limits.maxHeaderBytes} bytes`];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return ['BodyTooLarge', 'the extensions of a chunk are too long'];
    default:
      return ['BadRequest', `not a request that can be understood: ${message}`];
  }
}

function answerTo(code: ErrorCode, message: string, headers = ''): string {
  const status = statusOf(code);
  const body = errorBody(code, message);
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n${headers}Connection: close\r\n\r\n${body.toString()}`
  );
}

/** Sends what is written and closes, without waiting for what the other side still sends. */
function end(socket: Duplex, text: string): void {
  socket.end(text, () => socket.destroy());
  if (!socket.writable) socket.destroy();
}
