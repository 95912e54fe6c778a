/**
 * Maps requests to answers, as in vminfod(8). It only reads the cache.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { StoppedError, SyncTimeoutError, UnknownZoneError, type VmCache } from '../cache/cache.js';
import type { Fields } from '../vm/fields.js';
import { QueryError } from '../vm/selector.js';
import { replyChanges } from './changes.js';
import type { Listeners } from './listeners.js';
import { replyIndex } from './index-reply.js';
import type { UsageReply } from './usage.js';
import type { Metrics } from './metrics.js';
import type { PageFiles } from './page-files.js';
import { parseEventsParameters, parseFlags, positionOf, parseVmParameters } from './parameters.js';
import { loadPatterns, needsPatterns } from './patterns.js';
import { replyError, replyJson } from './reply.js';
import type { VmReplies } from './vms.js';

export interface RoutesOptions {
  readonly cache: Pick<VmCache, 'instance' | 'snapshot' | 'eventLog' | 'sync' | 'loadErrors' | 'status'>;
  readonly vms: VmReplies;
  readonly listeners: Listeners;
  /** How long `?sync=true` may take. */
  readonly syncTimeoutMs: number;
  readonly metrics: Metrics;
  readonly status: (full: boolean) => object | Promise<object>;
  readonly usage: UsageReply;
  /** `undefined`: no page, only JSON. */
  readonly page: PageFiles | undefined;
}

/** Answers one request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const retrySoon = { 'Retry-After': '1' };

/** All routes. */
export function routes({
  cache,
  vms,
  listeners,
  metrics,
  syncTimeoutMs,
  status,
  usage,
  page,
}: RoutesOptions): Handler {
  return (request, response) => {
    const { url = '', method } = request;
    if (method !== 'GET' && method !== 'HEAD') {
      replyError(response, 'MethodNotAllowed', 'only GET and HEAD are allowed', { Allow: 'GET, HEAD' });
      return;
    }
    // The most frequent request, answered without parsing the URL.
    const { loaded, vms: stored } = cache.snapshot.value;
    const known = loaded && url.startsWith(vmPrefix) ? stored.get(url.slice(vmPrefix.length)) : undefined;
    if (known !== undefined) {
      vms.one(request, response, known);
      return;
    }
    if (!needsPatterns(url)) answer(request, response, url);
    else {
      void loadPatterns().then(() => {
        // The `close` of a client that has left meanwhile would never be seen.
        if (!response.destroyed) answer(request, response, url);
      });
    }
  };

  function answer(request: IncomingMessage, response: ServerResponse, url: string): void {
    try {
      route(request, response, url);
    } catch (error) {
      if (!(error instanceof QueryError)) throw error;
      replyError(response, 'BadRequest', error.message);
    }
  }

  function route(request: IncomingMessage, response: ServerResponse, url: string): void {
    const { path, query } = split(url);
    const zonename = zonenameOf(path);
    if (path === '/') {
      parseFlags(query, []);
      if (page !== undefined && request.headers.accept?.includes('text/html') === true) {
        void page.reply(request, response, path);
      } else replyIndex(response, page !== undefined);
    } else if (page !== undefined && path.startsWith('/page/')) {
      void page.reply(request, response, path);
    } else if (path === '/status') {
      void replyStatus(response, parseFlags(query, ['full']).has('full'));
    } else if (path === '/metrics') {
      parseFlags(query, []);
      void replyMetrics(response);
    } else if (zonename === undefined && !afterLoad.has(path)) {
      replyError(response, 'NotFound', `no such path: ${path}`);
    } else if (!cache.snapshot.value.loaded) {
      const awaiting = cache.status().awaiting.join(', ');
      replyError(response, 'NotReady', `the first load is not done: waiting for ${awaiting}`, retrySoon);
    } else if (zonename !== undefined) {
      const { sync, fields } = parseVmParameters(query);
      if (sync) void replySynced(request, response, zonename, fields);
      else replyVm(request, response, zonename, fields);
    } else if (path === '/ping') {
      parseFlags(query, []);
      replyJson(response, { ping: 'pong' });
    } else if (path === '/vms') {
      void vms.all(request, response, query);
    } else if (path === '/changes') {
      void replyChanges(cache, response, query);
    } else if (path === '/usage') {
      parseFlags(query, []);
      void usage(response);
    } else {
      replyEvents(request, response, query);
    }
  }

  function replyEvents(request: IncomingMessage, response: ServerResponse, query: string): void {
    const asked = parseEventsParameters(query);
    const format = request.headers.accept?.includes('text/event-stream') === true ? 'sse' : 'json';
    // A browser repeats its first URL, so its Last-Event-ID takes precedence over the `since` in it. One that is not ours, of
    // what served here before, is no error: after an error a browser would never connect again.
    const lastId = request.headers['last-event-id'];
    const parameters =
      typeof lastId === 'string' && lastId !== '' ? { ...asked, since: positionOf(lastId) } : asked;
    if (request.method === 'HEAD') response.writeHead(200, { 'Content-Type': contentTypes[format] }).end();
    else listeners.add(request, response, { parameters, format, query });
  }

  async function replyStatus(response: ServerResponse, full: boolean): Promise<void> {
    replyJson(response, await status(full));
  }

  async function replyMetrics(response: ServerResponse): Promise<void> {
    const { contentType, text } = await metrics.report();
    response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) });
    response.end(text);
  }

  function replyVm(
    request: IncomingMessage,
    response: ServerResponse,
    zonename: string,
    fields: Fields | undefined,
  ): void {
    const stored = cache.snapshot.value.vms.get(zonename);
    if (stored !== undefined) vms.one(request, response, stored, fields);
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

  async function replySynced(
    request: IncomingMessage,
    response: ServerResponse,
    zonename: string,
    fields: Fields | undefined,
  ): Promise<void> {
    try {
      await cache.sync(zonename, syncTimeoutMs);
    } catch (error) {
      if (error instanceof SyncTimeoutError) replyError(response, 'Timeout', error.message);
      else if (error instanceof UnknownZoneError) replyError(response, 'LoadError', error.message, retrySoon);
      else if (error instanceof StoppedError) replyError(response, 'NotReady', error.message, retrySoon);
      else if (error instanceof QueryError) replyError(response, 'BadRequest', error.message);
      else throw error;
      return;
    }
    if (!replyLoadError(response, zonename)) replyVm(request, response, zonename, fields);
  }
}

/** The routes available once the first load is done, besides VMs. */
const afterLoad: ReadonlySet<string> = new Set(['/ping', '/vms', '/events', '/changes', '/usage']);

const vmPrefix = '/vms/';
const contentTypes = { json: 'application/json', sse: 'text/event-stream' };

function split(url: string): { readonly path: string; readonly query: string } {
  const at = url.indexOf('?');
  return at < 0 ? { path: url, query: '' } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

/**
 * The zone in `/vms/<zone>`. A name that no zone can have (zonecfg(8)) is refused, because it would become part of a
 * file's path when the zone is read afresh.
 */
function zonenameOf(path: string): string | undefined {
  if (!path.startsWith(vmPrefix)) return undefined;
  try {
    const name = decodeURIComponent(path.slice(vmPrefix.length));
    return /^[a-z0-9][\w.-]{0,63}$/i.test(name) ? name : undefined;
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
