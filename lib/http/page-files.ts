/**
 * The page for browsers at `GET /`: which files of this package it consists of, and how they are served: unchanged, and
 * from memory after the first request. A browser may run only these: nothing inline, nothing from elsewhere.
 *
 * `/page/` mirrors the compiled `lib/`, so that the page's modules import those of `lib/vm` by the paths that the
 * compiler knows; beside them is `lit-html`, with which the page is written.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isUnchanged } from './conditional.js';
import { replyError } from './reply.js';

/** The page's files by the path of a URL. */
export interface PageFiles {
  /** Answers a request for the page itself or one of its files; 404 for anything else. */
  reply(request: IncomingMessage, response: ServerResponse, path: string): Promise<void>;
}

/** Files are read when first requested. */
export function pageFiles(): PageFiles {
  const files = new Map<string, Promise<File>>();
  return {
    reply: async (request, response, path) => {
      let file = files.get(path);
      if (file === undefined) {
        const place = placeOf(path);
        if (place === undefined) {
          replyError(response, 'NotFound', `no such path: ${path}`);
          return;
        }
        files.set(path, (file = read(place)));
      }
      try {
        send(request, response, await file);
      } catch (error) {
        files.delete(path);
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        replyError(response, 'NotFound', `no such path: ${path}`);
      }
    },
  };
}

interface File {
  readonly bytes: Buffer;
  readonly type: string;
  readonly tag: string;
}

const compiled = new URL('../', import.meta.url);
const assets = new URL('../../../lib/http/page/', import.meta.url);
/** The directory of its build for browsers; the one for Node, which is what `resolve` finds, is below. */
function litHtml(): URL {
  const found = createRequire(import.meta.url).resolve('lit-html');
  return pathToFileURL(found.replace(/(?<=\/lit-html\/)(?!.*\/lit-html\/).*/, ''));
}

/** The file for a path; `undefined` if it is not the page's. No name can lead out of the directories. */
function placeOf(path: string): URL | undefined {
  if (path === '/') return new URL('index.html', assets);
  const [, module] = /^\/page\/((?:http\/page|vm)\/[a-z-]+\.js)$/.exec(path) ?? [];
  if (module !== undefined) return new URL(module, compiled);
  const [, asset] = /^\/page\/([a-z-]+\.(?:css|svg))$/.exec(path) ?? [];
  if (asset !== undefined) return new URL(asset, assets);
  if (!path.startsWith('/page/')) return undefined;
  const name = path.slice('/page/'.length);
  if (shared.has(name)) return new URL(name, compiled);
  return litModules.has(name) ? new URL(name.slice('lit-html/'.length), litHtml()) : undefined;
}

/** Modules outside lib/vm that the page shares with the client. They are just as pure. */
const shared: ReadonlySet<string> = new Set([
  'config.js',
  'holders.js',
  'client/backoff.js',
  'client/diagnose.js',
  'client/errors.js',
  'client/events.js',
  'client/mirror.js',
  'client/parse-json.js',
  'client/status.js',
]);

const litModules: ReadonlySet<string> = new Set([
  'lit-html/lit-html.js',
  'lit-html/directive.js',
  'lit-html/directive-helpers.js',
  'lit-html/directives/repeat.js',
]);

async function read(place: URL): Promise<File> {
  const bytes = await readFile(place);
  const tag = `W/"${createHash('sha256').update(bytes).digest('base64url')}"`;
  return { bytes, type: types[extname(place.pathname)] ?? 'application/octet-stream', tag };
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Trusted Types: no text becomes HTML except lit-html's templates, which are constants. */
const policy = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types lit-html',
].join('; ');

const headers = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Browsers revalidate each time, so that a new version takes effect at once.
  'Cache-Control': 'no-cache',
} as const;

function send(request: IncomingMessage, response: ServerResponse, { bytes, type, tag }: File): void {
  const common = { ...headers, ETag: tag, Vary: 'Accept' };
  if (isUnchanged(request.headers['if-none-match'], tag)) {
    response.writeHead(304, common).end();
  } else {
    response.writeHead(200, { ...common, 'Content-Type': type, 'Content-Length': bytes.length }).end(bytes);
  }
}
