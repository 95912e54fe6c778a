/**
 * One daemon's address and the connections to it. Every failure of a request becomes one of errors.ts, and what was
 * opened is closed. Knows nothing of VMs or events.
 */
import { hostname } from 'node:os';
import type { Dispatcher } from 'undici';
import { keepAliveMs } from '../config.js';
import { deadline } from './deadline.js';
import { asClientError, refusal, TimeoutError } from './errors.js';
import { joinSignals } from './join-signals.js';
import { parseJson } from './parse-json.js';
import { Agent, request } from './undici-parts.js';

export interface TransportOptions {
  /** `http://host[:port]`, or `unix:/path` for a Unix socket. */
  readonly url: string;
  readonly name: string;
  readonly dispatcher?: Dispatcher | undefined;
  /** Aborts every request. */
  readonly signal: AbortSignal;
}

export type Body = Dispatcher.ResponseData['body'];

export class Transport {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly #origin: string;
  readonly #dispatcher: Dispatcher;
  readonly #close: () => Promise<void>;
  readonly #userAgent: string;

  /** @throws TypeError for a url that is neither of the two forms. */
  constructor({ url, name, dispatcher, signal }: TransportOptions) {
    const { origin, socketPath } = parseUrl(url);
    this.url = url;
    this.signal = signal;
    this.#origin = origin;
    this.#userAgent = userAgent(name);
    if (dispatcher) {
      this.#dispatcher = dispatcher;
      this.#close = () => Promise.resolve();
    } else {
      const agent = new Agent({
        keepAliveTimeout: keepAliveMs,
        ...(socketPath && { connect: { socketPath } }),
      });
      this.#dispatcher = agent;
      this.#close = () => agent.destroy();
    }
  }

  /** The answer to a GET, parsed. When a signal aborts, its reason is thrown. `timeoutMs` may be Infinity. */
  async getJson(path: string, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    const limit = deadline(timeoutMs, () => {
      return new TimeoutError(`no answer from vminfod at ${this.url} within ${timeoutMs / 1000} s`);
    });
    const cancel = joinSignals(this.signal, signal, limit.signal);
    try {
      const body = await this.open(path, cancel.signal);
      return parseJson(await body.text(), `the answer to ${path}`);
    } catch (error) {
      cancel.signal.throwIfAborted();
      throw asClientError(error, this.url);
    } finally {
      cancel.release();
      limit.cancel();
    }
  }

  /** The body of a GET's 200, not yet read. Destroying it, or aborting the signal, closes its connection. */
  async open(path: string, signal: AbortSignal): Promise<Body> {
    const { statusCode, body } = await request(this.#dispatcher, {
      origin: this.#origin,
      path,
      method: 'GET',
      headers: { 'user-agent': this.#userAgent, accept: 'application/json' },
      signal,
      // The callers' signals bound the time: an event stream may rightly be silent for hours.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    if (statusCode === 200) return body;
    throw refusal(statusCode, await body.text(), path);
  }

  /** Closes the connections at once. A dispatcher that was passed in stays open: it is its owner's. */
  async close(): Promise<void> {
    await this.#close();
  }
}

function parseUrl(url: string): { origin: string; socketPath?: string } {
  if (url.startsWith('unix:/')) return { origin: 'http://localhost', socketPath: url.slice('unix:'.length) };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.pathname !== '/' || parsed.search) {
    throw new TypeError(
      `expected a url like http://127.0.0.1:9090 or unix:/path, got ${JSON.stringify(url)}`,
    );
  }
  return { origin: parsed.origin };
}

/** `<name> - <hostname>/<pid> (<argv[1]>)`; what a header cannot carry becomes `?`. */
function userAgent(name: string): string {
  return `${name} - ${hostname()}/${process.pid} (${process.argv[1] ?? ''})`.replace(/[^\x20-\x7e]/g, '?');
}
