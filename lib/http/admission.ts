/**
 * Decides which requests reach the routes: those whose target host is unambiguous and, over TCP, is this host.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HostCheck } from './hosts.js';
import { replyError } from './reply.js';
import type { Handler } from './routes.js';
import { parseTarget } from './target.js';

/**
 * @param isAllowed Default: any name. @returns a handler that refuses a request, or passes it on with a path in `request.url`.
 */
export function admit(handler: Handler, isAllowed?: HostCheck): Handler {
  return (request, response) => {
    // Nobody reads the body, and later requests on this connection would have to wait for all of it.
    if (hasBody(request)) response.setHeader('Connection', 'close');
    const target = parseTarget(request.url ?? '');
    const named = namedHosts(request);
    // HTTP/1.0 has no Host: load balancers and old scripts use it.
    if (named > 1 || (named === 0 && request.httpVersionMinor > 0)) {
      const problem = named === 0 ? 'there is no Host header' : 'there is more than one Host header';
      replyError(response, 'BadRequest', problem, { Connection: 'close' });
    } else if (isAllowed === undefined || areAllowed(isAllowed, request, response, target.host)) {
      request.url = target.url;
      handler(request, response);
    }
  };
}

/** Whether the names in the request are this host's. If not, it is answered here. */
function areAllowed(
  isAllowed: HostCheck,
  { headers, socket }: IncomingMessage,
  response: ServerResponse,
  inTarget: string | undefined,
): boolean {
  for (const name of [headers.host, inTarget]) {
    if (name === undefined || isAllowed(name, socket.localAddress)) continue;
    replyError(response, 'Forbidden', `not a name of this host: ${JSON.stringify(name)}`);
    return false;
  }
  return true;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The number of Host headers; `headers` has only the first. */
function namedHosts({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.length === 4 && rawHeaders[index]?.toLowerCase() === 'host') count++;
  }
  return count;
}
