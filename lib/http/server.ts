/**
 * The listening sockets: TCP, a Unix socket, or both. They open at once, bound what any client can take of the daemon,
 * and closing them leaves no connection behind.
 */
import { once } from 'node:events';
import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type ListenOptions } from 'node:net';
import { http as limits } from '../config.js';
import { allowHosts } from './hosts.js';
import { replyError } from './reply.js';
import type { Handler } from './routes.js';

/** The address cannot be had. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string | undefined;

  constructor(where: string, problem: string, cause?: NodeJS.ErrnoException) {
    super(`cannot listen on ${where}: ${problem}`, { cause });
    this.code = cause?.code;
  }
}

/** A server that listens. */
export interface HttpServer {
  /** `http://<address>:<port>`, or `unix:<path>`. */
  readonly url: string;
  /** Stops listening, and resolves when the last connection is gone: those in use have `graceMs` to end. */
  close(graceMs: number): Promise<void>;
}

export interface TcpOptions {
  readonly listen: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What a request may call the host, beside the address and localhost. */
  readonly allowedHosts: readonly string[];
  /** Default: config.ts. */
  readonly writeDeadlineMs?: number;
}

/**
 * Listens on a TCP port.
 *
 * @throws ListenError
 */
export async function listenOnPort(
  { listen, port, allowedHosts, writeDeadlineMs = limits.writeDeadlineMs }: TcpOptions,
  handler: Handler,
): Promise<HttpServer> {
  const isAllowed = allowHosts(listen, allowedHosts);
  const server = boundedServer((request, response) => {
    const { host } = request.headers;
    if (isAllowed(host, request.socket.localAddress)) handler(request, response);
    else replyError(response, 'Forbidden', `not a name of this host: ${JSON.stringify(host ?? '')}`);
  }, writeDeadlineMs);
  await listening(server, `${listen} port ${port}`, { port, host: listen }).catch((error: unknown) => {
    if (!(error instanceof ListenError) || error.code !== 'EADDRINUSE') throw error;
    const problem = 'something listens there already (another vminfod?); --port chooses another port';
    throw new ListenError(`${listen} port ${port}`, problem, error.cause as NodeJS.ErrnoException);
  });
  const { address, port: chosen, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`,
    close: (graceMs) => close(server, graceMs),
  };
}

/**
 * Listens on a Unix socket that only its owner can open. One that a dead daemon left behind is replaced.
 *
 * @throws ListenError
 */
export async function listenOnSocket(path: string, handler: Handler): Promise<HttpServer> {
  await removeStale(path);
  const server = boundedServer(handler, limits.writeDeadlineMs);
  // bind(2) happens within listen(), and so with this umask: there is no moment in which others could connect.
  const umask = process.umask(0o177);
  const bound = listening(server, path, { path });
  process.umask(umask);
  await bound;
  await chmod(path, 0o600);
  return { url: `unix:${path}`, close: (graceMs) => close(server, graceMs) };
}

function boundedServer(handler: Handler, writeDeadlineMs: number): Server {
  const server = createServer(
    {
      noDelay: true,
      keepAlive: true,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.requestTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
    },
    (request, response) => {
      // From here on all of the answer is made, and whoever asked for it has to read it.
      response.once('prefinish', () => {
        if (response.writableLength > 0) cutOff(response, writeDeadlineMs);
      });
      handler(request, response);
    },
  );
  server.maxConnections = limits.maxConnections;
  // Without this node would close the connection of a CONNECT without a word.
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(
      'HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
  });
  return server;
}

/** Destroys a response, and so its connection, unless it is over by then. */
function cutOff(response: ServerResponse, afterMs: number): void {
  const timer = setTimeout(() => {
    response.destroy();
  }, afterMs);
  response.once('close', () => {
    clearTimeout(timer);
  });
}

async function listening(server: Server, where: string, options: ListenOptions): Promise<void> {
  server.listen(options);
  try {
    await once(server, 'listening');
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    throw new ListenError(where, cause.message, cause);
  }
}

async function removeStale(path: string): Promise<void> {
  const stats = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ListenError(path, (error as Error).message, error as NodeJS.ErrnoException);
  });
  if (stats === undefined) return;
  if (!stats.isSocket()) throw new ListenError(path, 'there is something that is not a socket');
  const socket = connect({ path });
  try {
    await once(socket, 'connect');
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    if (cause.code !== 'ECONNREFUSED') throw new ListenError(path, cause.message, cause);
    await unlink(path);
    return;
  } finally {
    socket.destroy();
  }
  throw new ListenError(path, 'something listens there already (another vminfod?)');
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
    }, graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
