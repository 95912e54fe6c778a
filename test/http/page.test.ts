import tap from 'tap';
import { get, serve } from './serve.js';

const html = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

void tap.test('GET /: a page for browsers, an index for others', async (t) => {
  const { url } = await serve(t);
  const page = await get(`${url}/`, html);
  t.match(page, { status: 200, text: /^<!doctype html>/, headers: { vary: 'Accept' } });
  t.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  for (const accept of [undefined, '*/*', 'application/json']) {
    const { json, headers } = await get(`${url}/`, accept === undefined ? {} : { Accept: accept });
    t.match(json, { name: 'vminfod', page: true, paths: { '/vms': /./, '/events': /./, '/changes': /./ } });
    t.equal(headers.vary, 'Accept');
  }
  t.match(await get(`${url}/?x=1`, html), { status: 400 });
});

void tap.test('the page runs nothing but its own files, is in no frame and tells no referrer', async (t) => {
  const { url } = await serve(t);
  for (const path of ['/', '/page/page.css', '/page/http/page/main.js']) {
    const { headers } = await get(url + path, html);
    const policy = String(headers['content-security-policy']);
    t.match(policy, /(^|; )default-src 'self'(;|$)/, path);
    t.match(policy, /frame-ancestors 'none'/);
    t.notMatch(policy, /unsafe|http|\*|data:|blob:/);
    t.match(headers, { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
    const again = await get(url + path, { ...html, 'If-None-Match': String(headers.etag) });
    t.equal(again.status, 304, 'known already');
  }
});

void tap.test('every file that the page asks for is there, as its type', async (t) => {
  const { url } = await serve(t);
  const types = {
    js: 'text/javascript; charset=utf-8',
    css: 'text/css; charset=utf-8',
    svg: 'image/svg+xml',
  };
  const { text } = await get(`${url}/`, html);
  const left = [...text.matchAll(/(?:href|src)="(\/page\/[^"]+)"/g)].map(([, path = '']) => path);
  t.ok(left.length >= 3);
  const seen = new Set<string>();
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const file = await get(url + path);
    t.equal(file.status, 200, path);
    t.equal(file.headers['content-type'], types[path.split('.').at(-1) as keyof typeof types], path);
    if (!path.endsWith('.js')) continue;
    for (const [, specifier = ''] of file.text.matchAll(/from ?['"]([^'"]+)['"]/g)) {
      left.push(new URL(specifier, url + path).pathname);
    }
  }
  t.ok(seen.has('/page/lit-html/lit-html.js') && seen.has('/page/vm/describe.js'), 'it looked');
});

void tap.test('nothing else of the package, or the host, is served', async (t) => {
  const { url } = await serve(t);
  for (const path of [
    '/page/',
    '/page/index.html',
    '/page/nothing.js',
    '/page/vm/nothing.js',
    '/page/../package.json',
    '/page/..%2f..%2fpackage.json',
    '/page/vm/../../package.json',
    '/page/cli/main.js',
    '/page/daemon.js',
    '/page/http/server.js',
    '/page/lit-html/package.json',
    '/page/vm/describe.ts',
  ]) {
    t.match(await get(url + path, html), { status: 404, json: { code: 'NotFound' } }, path);
  }
});

void tap.test('who calls the host by another name gets no page', async (t) => {
  const { url } = await serve(t);
  for (const path of ['/', '/page/page.css']) {
    t.match(await get(url + path, { ...html, Host: 'evil.example' }), { status: 403 }, path);
    t.match(
      await get(url + path, { ...html, Host: 'localhost:8080' }),
      { status: 200 },
      'as through ssh -L 8080',
    );
  }
});

void tap.test('--no-page: JSON for everybody', async (t) => {
  const { url } = await serve(t, { page: false });
  t.match((await get(`${url}/`, html)).json, { name: 'vminfod', page: false });
  t.match(await get(`${url}/page/page.css`, html), { status: 404 });
});
