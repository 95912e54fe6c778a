/**
 * One daemon's address and the connections to it. Every failure of a request becomes an error of errors.ts, and whatever
 * was opened is closed. Knows nothing of VMs or events.
 */
import { Agent, request, type IncomingMessage, type RequestOptions } from 'node:http';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';
import { urlToHttpOptions } from 'node:url';
import { keepAliveMs } from '../config.js';
import { deadline } from './deadline.js';
import { asClientError, refusal, TimeoutError } from './errors.js';
import { joinSignals } from './join-signals.js';
import { parseJson } from './parse-json.js';

export interface TransportOptions {
  /** `http://host[:port]`, or `unix:/path` for a Unix socket. */
  readonly url: string;
  readonly name: string;
  readonly agent?: Agent | undefined;
  /** Aborts every request. */
  readonly signal: AbortSignal;
}

export class Transport {
  readonly url: string;
  readonly signal: AbortSignal;
  readonly #request: RequestOptions;
  readonly #ownAgent: Agent | undefined;

  /** @throws TypeError for a url that is neither of the two forms. */
  constructor({ url, name, agent, signal }: TransportOptions) {
    this.url = url;
    this.signal = signal;
    if (!agent) this.#ownAgent = new Agent({ keepAlive: true, timeout: keepAliveMs });
    this.#request = {
      ...parseUrl(url),
      agent: agent ?? this.#ownAgent,
      headers: { 'user-agent': userAgent(name), accept: 'application/json' },
    };
  }

  /** The answer to a GET, parsed. When a signal aborts, its reason is thrown. `timeoutMs` may be Infinity. */
  async getJson(path: string, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    const limit = deadline(timeoutMs, () => {
      return new TimeoutError(`no answer from vminfod at ${this.url} within ${timeoutMs / 1000} s`);
    });
    const cancel = joinSignals(this.signal, signal, limit.signal);
    try {
      const body = await this.open(path, cancel.signal);
      return parseJson(await text(body), `the answer to ${path}`);
    } catch (error) {
      cancel.signal.throwIfAborted();
      throw asClientError(error, this.url);
    } finally {
      cancel.release();
      limit.cancel();
    }
  }

  /**
   * The body of a GET's 200, not yet read. Destroying it, or aborting the signal, closes its connection. The callers'
   * signals bound the time: an event stream may rightly be silent for hours.
   */
  async open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const answer = await get({ ...this.#request, path, signal });
    if (answer.statusCode === 200) return answer;
    throw refusal(answer.statusCode ?? 0, await text(answer), path);
  }

  /** Closes the connections at once. An agent that was passed in stays open: it is its owner's. */
  close(): void {
    this.#ownAgent?.destroy();
  }
}

/** The answer's head; its body is not yet read. */
function get(options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(options, resolve);
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // The daemon closed an idle connection just as it was reused: it has not seen the request.
      if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(get(options));
      else reject(error);
    });
    sent.end();
  });
}

function parseUrl(url: string): RequestOptions {
  if (url.startsWith('unix:/')) return { socketPath: url.slice('unix:'.length), host: 'localhost' };
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol !== 'http:' || parsed.pathname !== '/' || parsed.search) {
    throw new TypeError(
      `expected a url like http://127.0.0.1:9090 or unix:/path, got ${JSON.stringify(url)}`,
    );
  }
  return urlToHttpOptions(parsed);
}

/** `<name> - <hostname>/<pid> (<argv[1]>)`; what a header cannot carry becomes `?`. */
function userAgent(name: string): string {
  return `${name} - ${hostname()}/${process.pid} (${process.argv[1] ?? ''})`.replace(/[^\x20-\x7e]/g, '?');
}
