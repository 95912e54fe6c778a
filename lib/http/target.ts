/**
 * The target of a request: a path or, from a client that thinks it talks to a proxy, a whole URL (RFC 9112, 3.2.2). Pure.
 */
export interface Target {
  /** Path and query. */
  readonly url: string;
  /** The host, with its port, that a whole URL names. */
  readonly host: string | undefined;
}

/** Parses a request's target. */
export function parseTarget(url: string): Target {
  // Nearly every target is a path.
  if (url.startsWith('/')) return { url, host: undefined };
  const [, host, rest = ''] = /^http:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  if (host === undefined) return { url, host };
  return { url: rest.startsWith('/') ? rest : `/${rest}`, host };
}
