/**
 * The listening socket: it opens at once, and closing it leaves no connection behind.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Handler } from './routes.js';

/** The address cannot be had. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string | undefined;

  constructor(listen: string, port: number, cause: NodeJS.ErrnoException) {
    const why =
      cause.code === 'EADDRINUSE'
        ? 'something listens there already (another vminfod?); --port chooses another port'
        : cause.message;
    super(`cannot listen on ${listen} port ${port}: ${why}`, { cause });
    this.code = cause.code;
  }
}

/** A server that listens. */
export interface HttpServer {
  /** `http://<address>:<port>` */
  readonly url: string;
  /** Stops listening, and resolves when the last connection is gone: those in use have `graceMs` to end. */
  close(graceMs: number): Promise<void>;
}

/**
 * Listens; port 0 takes a free one.
 *
 * @throws ListenError
 */
export async function listenOn(listen: string, port: number, handler: Handler): Promise<HttpServer> {
  const server = createServer({ noDelay: true, keepAlive: true }, handler);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new ListenError(listen, port, cause));
    });
    server.listen(port, listen, resolve);
  });
  const { address, port: chosen, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`,
    close: (graceMs) =>
      new Promise((resolve) => {
        const cut = setTimeout(() => {
          server.closeAllConnections();
        }, graceMs);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
