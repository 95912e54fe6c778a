/**
 * Which `Host` a request over TCP may name. A web page that had a name of its own resolve to 127.0.0.1 would otherwise
 * read the host's VMs through its visitor's browser (DNS rebinding); its requests still bear its own name. Pure.
 */
import { isIP } from 'node:net';

/** Tells whether a request is allowed, by its `Host` header and the address that it came in at. */
export type HostCheck = (host: string | undefined, localAddress: string | undefined) => boolean;

/**
 * Allows the address that is listened on, the loopback and the given names, each with any port. When all addresses are
 * listened on (`0.0.0.0`, `::`), the one that the request came in at is allowed.
 */
export function allowHosts(listen: string, names: readonly string[]): HostCheck {
  const allowed = new Set([...loopback, listen, ...names].map(canonical));
  return (host, localAddress) => {
    if (host === undefined) return false;
    // Nearly every request names what an earlier one did, letter by letter.
    if (allowed.has(host)) return true;
    const name = canonical(withoutPort(host));
    const isAllowed = allowed.has(name) || (isIP(name) !== 0 && name === canonical(localAddress ?? ''));
    if (isAllowed && allowed.size < maxKnown) allowed.add(host);
    return isAllowed;
  };
}

/** True for an address that only this host can reach. */
export function isLoopback(address: string): boolean {
  const name = canonical(address);
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

const loopback = ['localhost', '127.0.0.1', '::1'];

/** Spellings of allowed hosts that are remembered: a client may vary ports and letters at will. */
const maxKnown = 100;

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '');
}

/** Lower case, no brackets of IPv6, no dot at the end, no IPv4 in IPv6. */
function canonical(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .replace(/^::ffff:(?=\d+\.)/, '');
}
