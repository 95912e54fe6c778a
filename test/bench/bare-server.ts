/**
 * A separate process, the simplest that could serve the same: over HTTP it sends given bytes from memory; over TCP it
 * writes the same bytes to every connection on request.
 */
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** Its instructions: bodies and headers by path, to be sent from memory; or bytes to be written to all. */
export type BareRequest =
  | {
      readonly type: 'serve';
      readonly answers: Readonly<Record<string, { headers: Record<string, string>; body: string }>>;
    }
  | { readonly type: 'broadcast'; readonly bytes: number };

const answers = new Map<string, { readonly headers: Record<string, string>; readonly bytes: Buffer }>();
const sockets = new Set<Socket>();

const http = createHttpServer((request, response) => {
  const answer = answers.get(request.url ?? '');
  response.writeHead(answer === undefined ? 404 : 200, answer?.headers ?? {});
  response.end(answer?.bytes);
});
const tcp = createServer((socket) => {
  sockets.add(socket);
  socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
});
http.listen(0, '127.0.0.1', () => {
  tcp.listen({ port: 0, host: '127.0.0.1', backlog: 2_000 }, () => {
    const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
    process.send?.({ httpPort: portOf(http), tcpPort: portOf(tcp) });
  });
});
process.on('message', (request: BareRequest) => {
  if (request.type === 'broadcast') {
    const bytes = Buffer.alloc(request.bytes, 'x');
    for (const socket of sockets) socket.write(bytes);
    return;
  }
  for (const [path, { headers, body }] of Object.entries(request.answers)) {
    answers.set(path, { headers, bytes: Buffer.from(body) });
  }
  process.send?.('serving');
});
process.on('disconnect', () => {
  process.exit();
});
