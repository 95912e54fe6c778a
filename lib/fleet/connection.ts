/** A connection to NATS that reconnects for ever, and requests over it. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import {
  connect,
  credsAuthenticator,
  nkeyAuthenticator,
  type NatsConnection,
  type NodeConnectionOptions,
} from '@nats-io/transport-node';
import { UnreachableError } from '../client/errors.js';
import { fleet as limits } from '../config.js';
import { Backoff } from './backoff.js';

/** Where NATS is, and our credentials. Files are read at each start. */
export interface NatsOptions {
  /** `nats://[user:password@]host[:port]`, or `tls://…`; several of one cluster. */
  readonly servers: readonly string[];
  /** A credentials file, as `nsc` makes it. */
  readonly creds?: string;
  /** A file with an nkey's seed. */
  readonly nkey?: string;
  /** Files in PEM. */
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** The prefix of the subjects for replies. Permissions name it, so that no host can read another's. Default: `_INBOX`. */
  readonly inboxPrefix?: string;
}

/** A connection, and JetStream over it. */
export interface Nats {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly inboxPrefix: string | undefined;
}

/**
 * Connects.
 *
 * @param name The client's name, shown by `nats server report connections`.
 * @throws UnreachableError
 */
export async function connectNats(
  { servers, creds, nkey, tlsCa, tlsCert, tlsKey, inboxPrefix }: NatsOptions,
  name: string,
): Promise<Nats> {
  const login = loginOf(servers);
  const authenticator =
    creds !== undefined
      ? credsAuthenticator(await readFile(creds))
      : nkey !== undefined
        ? nkeyAuthenticator(Buffer.from((await readFile(nkey, 'utf8')).trim()))
        : undefined;
  const options: NodeConnectionOptions = {
    name,
    servers: servers.map(withoutLogin),
    ...login,
    ...(authenticator && { authenticator }),
    ...((tlsCa !== undefined || tlsCert !== undefined) && {
      tls: {
        ...(tlsCa !== undefined && { caFile: tlsCa }),
        ...(tlsCert !== undefined && { certFile: tlsCert }),
        ...(tlsKey !== undefined && { keyFile: tlsKey }),
      },
    }),
    ...(inboxPrefix !== undefined && { inboxPrefix }),
    timeout: limits.connectTimeoutMs,
    maxReconnectAttempts: -1,
    // Permissions that an operator is about to fix must not end a publisher.
    ignoreAuthErrorAbort: true,
    // After two unanswered pings, a server that hangs is left for another.
    pingInterval: limits.pingIntervalMs,
    maxPingOut: 2,
    reconnectTimeWait: limits.reconnectWaitMs,
    reconnectJitter: limits.reconnectJitterMs,
    reconnectJitterTLS: limits.reconnectJitterMs,
  };
  try {
    const connection = await connect(options);
    const jsOptions = { timeout: limits.requestTimeoutMs };
    return {
      connection,
      inboxPrefix,
      jetstream: jetstream(connection, jsOptions),
      manager: await jetstreamManager(connection, { ...jsOptions, checkAPI: false }),
    };
  } catch (cause) {
    const where = servers.map(withoutLogin).join(', ');
    throw new UnreachableError(`cannot connect to NATS at ${where}: ${(cause as Error).message}`, { cause });
  }
}

/** Connects, however long it takes until there is a server. Rejects only with the signal's reason. */
export async function connectPatiently(
  options: NatsOptions,
  name: string,
  { signal, onFailure }: { readonly signal: AbortSignal; readonly onFailure: (error: Error) => void },
): Promise<Nats> {
  const backoff = new Backoff(limits.backoffMinMs, limits.backoffMaxMs);
  for (;;) {
    signal.throwIfAborted();
    try {
      return await connectNats(options, name);
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      onFailure(error);
      await sleep(backoff.next(), undefined, { signal });
    }
  }
}

function loginOf(servers: readonly string[]): { user?: string; pass?: string } {
  const url = servers.map(parseUrl).find((each) => each !== undefined && each.username !== '');
  if (url === undefined) return {};
  return { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
}

/** Addresses appear in messages: passwords must not. */
export function withoutLogin(server: string): string {
  const url = parseUrl(server);
  return url === undefined ? server : `${url.protocol}//${url.host}`;
}

function parseUrl(server: string): URL | undefined {
  return URL.canParse(server) ? new URL(server) : undefined;
}
