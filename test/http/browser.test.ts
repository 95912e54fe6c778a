import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tap from 'tap';
import { aSmallVm, serve } from './serve.js';

const chromium = '/usr/bin/chromium';
const skip = existsSync(chromium) ? false : `no ${chromium} (apt-get install chromium)`;

/** A plain EventSource, that posts each message back to where the page came from. */
const page = `<!doctype html><script>
new EventSource('/events?vms=none').onmessage = ({ data, lastEventId }) =>
  navigator.sendBeacon('/got', JSON.stringify({ ...JSON.parse(data), lastEventId }));
</script>`;

void tap.test(
  "a browser's EventSource loses its connection and goes on without a gap",
  { skip, timeout: 60_000 },
  async (t) => {
    const { url, store } = await serve(t, { vms: [aSmallVm(1)] });
    const got: Record<string, unknown>[] = [];
    const streams = new Set<ServerResponse>();

    // Serves the page, and the daemon's events from the same origin, until it is told to hang up.
    const proxy = createServer((request, response) => {
      if (request.url === '/got') {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          got.push(JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>);
          response.writeHead(204).end();
        });
      } else if (request.url?.startsWith('/events') === true) {
        streams.add(response);
        const upstream = httpRequest(
          url + request.url,
          { headers: request.headers, agent: false },
          (events) => {
            response.writeHead(events.statusCode ?? 500, events.headers);
            events.pipe(response);
          },
        );
        upstream.on('error', () => response.destroy());
        upstream.end();
        response.on('close', () => {
          upstream.destroy();
          streams.delete(response);
        });
      } else {
        response.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
      }
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const profile = await mkdtemp(join(tmpdir(), 'vminfod-chromium-'));
    const browser = start(profile, `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/`);
    t.teardown(async () => {
      await stop(browser);
      proxy.closeAllConnections();
      proxy.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    });

    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const has = (seq: number) => got.some((each) => each['seq'] === seq && each['type'] !== 'ready');
    let seq = 0;
    const change = () => store.put(aSmallVm(1, { quota: 100 + ++seq }));

    await until(() => got.length > 0);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 5; i++) change();
      const last = seq;
      await until(() => has(last));
      for (const stream of streams) stream.destroy();
      for (let i = 0; i < 5; i++) change(); // Nobody listens now.
    }
    await until(() => has(seq));

    const events = got.filter(({ type }) => type === 'modify');
    // Beacons may overtake one another.
    const seqs = events.map((each) => each['seq'] as number).sort((a, b) => a - b);
    t.same(
      seqs,
      Array.from({ length: seq }, (_, index) => index + 1),
      'each event once',
    );
    t.ok(events.every((each) => String(each['lastEventId']).endsWith(`:${String(each['seq'])}`)));
    const readies = got.filter(({ type }) => type === 'ready');
    t.equal(readies.length, 4);
    t.equal(readies.filter(({ resumed }) => resumed).length, 3);
  },
);

function start(profile: string, address: string): ChildProcess {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    // Keeps it running: without it, headless Chromium ends when the page is loaded.
    '--remote-debugging-pipe',
    `--user-data-dir=${profile}`,
  ];
  // The last two are the pipe of the DevTools protocol, which nobody uses.
  return spawn(chromium, [...flags, address], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: profile }, // It leaves sockets there when it is killed.
    detached: true,
  });
}

/** Ends the browser with all its processes. */
async function stop(browser: ChildProcess): Promise<void> {
  if (browser.pid === undefined || browser.exitCode !== null || browser.signalCode !== null) return;
  const exited = new Promise((resolve) => browser.once('exit', resolve));
  process.kill(-browser.pid, 'SIGKILL');
  await exited;
}
