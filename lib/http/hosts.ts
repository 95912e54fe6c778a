/**
 * Which `Host` a request over TCP may name. Otherwise a web page could make its own name resolve to 127.0.0.1 and read
 * the host's VMs through a visitor's browser (DNS rebinding); but its requests still carry its own name. Pure.
 */
import { isIP } from 'node:net';

/** Tells whether a request is allowed, by its `Host` header and the local address at which it arrived. */
export type HostCheck = (host: string | undefined, localAddress: string | undefined) => boolean;

/**
 * Allows the listening address, the loopback and the given names, each with any port. When listening on all addresses
 * (`0.0.0.0`, `::`), the one at which the request arrived is allowed.
 */
export function allowHosts(listen: string, names: readonly string[]): HostCheck {
  const allowed = new Set([...loopback, listen, ...names].map(canonical));
  return (host, localAddress) => {
    if (host === undefined) return false;
    // Nearly every request has exactly the same Host as an earlier one.
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

/** The number of spellings of allowed hosts remembered: a client may vary ports and case at will. */
const maxKnown = 100;

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, '');
}

/** Lower case, without IPv6 brackets or a trailing dot, IPv4-mapped addresses as IPv4. */
function canonical(name: string): string {
  return name
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .replace(/^::ffff:(?=\d+\.)/, '');
}
