/**
 * Which request gets which answer (wire.md). It reads the cache and changes nothing.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SyncTimeoutError, type VmCache } from '../cache/cache.js';
import type { Listeners } from './listeners.js';
import { replyBytes, replyError, replyJson } from './reply.js';
import type { SerialisedVms } from './serialised.js';

export interface RoutesOptions {
  readonly cache: VmCache;
  readonly serialised: SerialisedVms;
  readonly listeners: Listeners;
  /** How long `?sync=true` may take. */
  readonly syncTimeoutMs: number;
  readonly status: (full: boolean) => object;
}

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const retrySoon = { 'Retry-After': '1' };

/** All routes. */
export function routes({ cache, serialised, listeners, syncTimeoutMs, status }: RoutesOptions): Handler {
  return (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      replyError(response, 'MethodNotAllowed', 'only GET and HEAD are', { Allow: 'GET, HEAD' });
      return;
    }
    const { path, query } = parseUrl(request.url ?? '');
    const zonename = zonenameOf(path);
    if (path === '/status') {
      replyJson(response, status(query.get('full') === 'true'));
    } else if (zonename === undefined && path !== '/ping' && path !== '/vms' && path !== '/events') {
      replyError(response, 'NotFound', `no such path: ${path}`);
    } else if (!cache.snapshot.value.loaded) {
      const awaiting = cache.status().awaiting.join(', ');
      replyError(response, 'NotReady', `the first load is not done: waiting for ${awaiting}`, retrySoon);
    } else if (zonename !== undefined) {
      if (query.get('sync') === 'true') void replySynced(response, zonename);
      else replyVm(response, zonename);
    } else if (path === '/ping') {
      replyJson(response, { ping: 'pong' });
    } else if (path === '/vms') {
      replyBytes(response, serialised.array(cache.snapshot.value));
    } else if (request.method === 'HEAD') {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end();
    } else {
      listeners.add(request, response);
    }
  };

  function replyVm(response: ServerResponse, zonename: string): void {
    const stored = cache.snapshot.value.vms.get(zonename);
    if (stored !== undefined) replyBytes(response, stored.bytes);
    else if (!replyLoadError(response, zonename)) {
      replyError(response, 'NotFound', `no VM ${JSON.stringify(zonename)}`);
    }
  }

  /** A zone that could not be read is not a zone that does not exist. */
  function replyLoadError(response: ServerResponse, zonename: string): boolean {
    const [first] = cache.loadErrors(zonename);
    if (first === undefined) return false;
    replyError(
      response,
      'LoadError',
      `zone ${zonename}: cannot read ${first.input}: ${first.error}`,
      retrySoon,
    );
    return true;
  }

  async function replySynced(response: ServerResponse, zonename: string): Promise<void> {
    try {
      await cache.sync(zonename, syncTimeoutMs);
    } catch (error) {
      if (!(error instanceof SyncTimeoutError)) throw error;
      replyError(response, 'Timeout', error.message);
      return;
    }
    if (!replyLoadError(response, zonename)) replyVm(response, zonename);
  }
}

function parseUrl(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const at = url.indexOf('?');
  return at < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

/** The zone in `/vms/<zone>`. A name that is not well formed is no zone's. */
function zonenameOf(path: string): string | undefined {
  if (!path.startsWith('/vms/') || path === '/vms/') return undefined;
  try {
    return decodeURIComponent(path.slice('/vms/'.length));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
