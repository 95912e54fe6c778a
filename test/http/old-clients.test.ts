/** HTTP as clients of all ages speak it, byte by byte: proxies, load balancers, scripts. */
import { connect } from 'node:net';
import tap from 'tap';
import { serve } from './serve.js';

const cases: readonly (readonly [request: string, status: number, code: string | undefined])[] = [
  ['GET /ping HTTP/1.0\r\n\r\n', 200, undefined],
  ['GET /ping HTTP/1.0\r\nHost: evil.example\r\n\r\n', 403, 'Forbidden'],
  ['GET http://localhost:9090/ping HTTP/1.1\r\nHost: localhost:9090\r\n\r\n', 200, undefined],
  ['GET HTTP://LOCALHOST/ping HTTP/1.1\r\nHost: localhost\r\n\r\n', 200, undefined],
  ['GET http://localhost/ping HTTP/1.0\r\n\r\n', 200, undefined],
  ['GET http://evil.example/ping HTTP/1.1\r\nHost: localhost\r\n\r\n', 403, 'Forbidden'],
  ['GET http://localhost/ping HTTP/1.1\r\nHost: evil.example\r\n\r\n', 403, 'Forbidden'],
  ['GET http://localhost@evil.example/ping HTTP/1.1\r\nHost: localhost\r\n\r\n', 403, 'Forbidden'],
  ['GET http://evil.example@localhost/ping HTTP/1.1\r\nHost: localhost\r\n\r\n', 403, 'Forbidden'],
  ['GET http:///ping HTTP/1.1\r\nHost: localhost\r\n\r\n', 403, 'Forbidden'],
  ['GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n', 200, undefined],
  ['GET http://localhost?x=/ping HTTP/1.1\r\nHost: localhost\r\n\r\n', 400, 'BadRequest'],
  ['GET /ping HTTP/1.1\r\n\r\n', 400, 'BadRequest'],
  ['GET /ping HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n', 400, 'BadRequest'],
  ['GET /ping HTTP/1.1\r\nHost: localhost\r\nhOST: evil.example\r\n\r\n', 400, 'BadRequest'],
  ['GET /ping HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\n\r\n', 417, 'ExpectationFailed'],
  ['GET /ping HTTP/9.9\r\nHost: localhost\r\n\r\n', 400, 'BadRequest'],
  ['GET /ping\r\n\r\n', 400, 'BadRequest'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'BadRequest'],
  ['\u0016\u0003\u0001 this is TLS', 400, 'BadRequest'],
  ['CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n', 405, 'MethodNotAllowed'],
  ['OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n', 405, 'MethodNotAllowed'],
  [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431, 'HeadersTooLarge'],
  ['GET /ping HTTP/1.1\r\nHost: local', 408, 'RequestTimeout'],
];

void tap.test('every answer is JSON, whatever asks', async (t) => {
  const { url } = await serve(t);
  const port = Number(new URL(url).port);
  const replies = await Promise.all(cases.map(([request]) => exchange(port, request)));
  for (const [index, [request, status, code]] of cases.entries()) {
    const name = JSON.stringify(request.slice(0, 80));
    const [head = '', body = ''] = (replies[index] ?? '').split('\r\n\r\n', 2);
    t.match(head, new RegExp(`^HTTP/1\\.1 ${status} `), name);
    t.match(head, /\r\nContent-Type: application\/json\r\n/, `${name}: says that it is JSON`);
    const answer = JSON.parse(body) as { code?: string; message?: string };
    t.equal(answer.code, code, `${name}: ${answer.message ?? body}`);
    if (code !== undefined) t.ok(answer.message, 'with a reason for people');
  }
});

void tap.test('what is no HTTP ends a stream, and is not written into it', async (t) => {
  const { url, listeners } = await serve(t);
  const port = Number(new URL(url).port);
  const request = 'GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const text = await exchange(port, request, (soFar) => soFar.includes('"ready"'), 'no HTTP\r\n\r\n');
  t.equal(text.match(/HTTP\/1\.1/g)?.length, 1, 'one answer');
  t.notMatch(text, /BadRequest/);
  while (listeners.list().length > 0) await new Promise(setImmediate);
});

/** Sends bytes on a connection, more of them once `until` holds, and resolves with all that came until its end. */
function exchange(
  port: number,
  request: string,
  until: (text: string) => boolean = () => false,
  then = '',
): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1');
    socket.write(request, 'latin1');
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (until(text)) socket.write(then);
      else if (then === '' && isComplete(text)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      resolve(text);
    });
  });
}

function isComplete(text: string): boolean {
  const [head = '', body] = text.split('\r\n\r\n', 2);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return body !== undefined && body.length >= Number(length);
}
