/**
 * The listening sockets: TCP, a Unix socket, or both. They open at once, bound what any client can take from the daemon,
 * and leave no connection behind when closed.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, lstat, rename, unlink } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type ListenOptions } from 'node:net';
import { dirname, join } from 'node:path';
import { http as limits } from '../config.js';
import { admit } from './admission.js';
import { Connections, type ConnectionsStatus, type OnCrowded } from './connections.js';
import { allowHosts } from './hosts.js';
import { answerParserErrors } from './parser-errors.js';
import type { Handler } from './routes.js';

/** It is not possible to listen on the address. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: string | undefined;

  constructor(where: string, problem: string, cause?: NodeJS.ErrnoException) {
    super(`cannot listen on ${where}: ${problem}`, { cause });
    this.code = cause?.code;
  }
}

/** A listening server. */
export interface HttpServer {
  /** `http://<address>:<port>`, or `unix:<path>`. */
  readonly url: string;
  /** Stops listening, and resolves when the last connection is gone: those in use have `graceMs` to end. */
  close(graceMs: number): Promise<void>;
  connections(): ConnectionsStatus;
}

/** What any server may have. */
export interface ServerOptions {
  /** Connections at a time. Default: config.ts. */
  readonly maxConnections?: number;
  /** Called each time a connection is ended because there are too many. */
  readonly onCrowded?: OnCrowded;
}

export interface TcpOptions extends ServerOptions {
  readonly listen: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Names that requests may use in their Host header, beside the address and localhost. */
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
  { listen, port, allowedHosts, writeDeadlineMs = limits.writeDeadlineMs, ...options }: TcpOptions,
  handler: Handler,
): Promise<HttpServer> {
  const admitted = admit(handler, allowHosts(listen, allowedHosts));
  const { server, connections } = boundedServer(admitted, writeDeadlineMs, options);
  await listening(server, `${listen} port ${port}`, { port, host: listen }).catch((error: unknown) => {
    if (!(error instanceof ListenError) || error.code !== 'EADDRINUSE') throw error;
    const problem = 'something listens there already (another vminfod?); --port chooses another port';
    throw new ListenError(`${listen} port ${port}`, problem, error.cause as NodeJS.ErrnoException);
  });
  const { address, port: chosen, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`,
    close: (graceMs) => close(server, graceMs),
    connections: () => connections.status(),
  };
}

/**
 * Listens on a Unix socket that only its owner can open. A socket that a dead daemon left behind is replaced.
 *
 * @throws ListenError
 */
export async function listenOnSocket(
  path: string,
  handler: Handler,
  options: ServerOptions = {},
): Promise<HttpServer> {
  // Bound under a temporary name, because on close node removes whatever has the name by then, even another daemon's
  // socket.
  const ownPath = join(dirname(path), `.${randomBytes(3).toString('hex')}`);
  const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(ownPath));
  // Node would truncate the path, and listen somewhere else.
  if (bytes > maxSocketPathBytes)
    throw new ListenError(path, `a path of more than ${maxSocketPathBytes} bytes`);
  await removeStale(path);
  const { server, connections } = boundedServer(admit(handler), limits.writeDeadlineMs, options);
  // bind(2) happens within listen(), and so with this umask: at no moment can others connect.
  const umask = process.umask(0o177);
  const bound = listening(server, path, { path: ownPath });
  process.umask(umask);
  await bound;
  await chmod(ownPath, 0o600);
  await rename(ownPath, path);
  const { ino } = await lstat(path);
  return {
    url: `unix:${path}`,
    connections: () => connections.status(),
    close: async (graceMs) => {
      const now = await lstat(path).catch(() => undefined); // Already removed.
      if (now?.ino === ino) await unlink(path);
      await close(server, graceMs);
    },
  };
}

/** Where to listen; more than one place may be given. */
export interface PlacesOptions extends ServerOptions {
  /** `undefined`: not on TCP. */
  readonly listen: string | undefined;
  readonly port: number;
  readonly allowedHosts?: readonly string[] | undefined;
  /** `undefined`: not on a Unix socket. */
  readonly socket?: string | undefined;
}

/**
 * Listens everywhere or nowhere. Each server is added to `servers` as soon as it listens, for it may serve before all do.
 *
 * @throws ListenError
 */
export async function listenOnAll(
  servers: HttpServer[],
  { listen, port, allowedHosts = [], socket, ...options }: PlacesOptions,
  handler: Handler,
): Promise<void> {
  try {
    if (listen !== undefined)
      servers.push(await listenOnPort({ listen, port, allowedHosts, ...options }, handler));
    if (socket !== undefined) servers.push(await listenOnSocket(socket, handler, options));
  } catch (error) {
    await closeAll(servers);
    throw error;
  }
}

/** Ends all of them; connections in use have the usual time. */
export async function closeAll(servers: readonly HttpServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close(limits.closeGraceMs)));
}

/** How crowded each is, by where it listens. */
export function connectionsOf(servers: readonly HttpServer[]): Readonly<Record<string, ConnectionsStatus>> {
  return Object.fromEntries(servers.map((server) => [server.url, server.connections()]));
}

/** The longest path that fits into a socket address on every system: macOS has the shortest. */
const maxSocketPathBytes = 103;

function boundedServer(
  handler: Handler,
  writeDeadlineMs: number,
  { maxConnections = limits.maxConnections, onCrowded = () => undefined }: ServerOptions,
): { readonly server: Server; readonly connections: Connections } {
  const server = createServer(
    {
      noDelay: true,
      keepAlive: true,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.requestTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      // Node would refuse it without a body; admission.ts refuses it in JSON.
      requireHostHeader: false,
    },
    (request, response) => {
      connections.began(request);
      // From here on the answer is complete, and its client has to read it.
      response.once('prefinish', () => {
        connections.answered(request);
        if (response.writableLength > 0) cutOff(response, writeDeadlineMs);
      });
      handler(request, response);
    },
  );
  const connections = new Connections(server, maxConnections, onCrowded);
  answerParserErrors(server);
  return { server, connections };
}

/** Destroys a response and its connection, unless it has ended by then. */
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
