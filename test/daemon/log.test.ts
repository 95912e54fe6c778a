/** The log never delays, stops or ends the daemon, whatever becomes of its lines. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import tap, { type Test } from 'tap';
import { createSimulatedHost, type SimulatedHost } from '../../lib/simulator/index.js';
import { eventually, get, listen, startTestDaemon, type Listening } from './harness.js';

const vminfod = fileURLToPath(new URL('../../sbin/vminfod.cjs', import.meta.url));

/** By default so many that more is logged than is kept; `LOG_EVENTS=10000` for more. */
const events = Number(process.env['LOG_EVENTS'] ?? 400);

/** A change of so many tags makes a line of 5 kB in the log. */
const manyTags = (round: number) =>
  Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`tag${String(n).padStart(40, '-')}`, round]));

void tap.test('a change is logged once its listeners have it', async (t) => {
  const { host, log, listen } = await startTestDaemon(t);
  const listening = await listen();
  const isLogged = () => log.some(({ msg }) => String(msg).startsWith('modify '));
  const loggedBefore: boolean[] = [];
  const write = Reflect.get(Socket.prototype, 'write') as (...args: unknown[]) => boolean;
  t.capture(Socket.prototype, 'write', function (this: Socket, ...args: unknown[]) {
    if (String(args[0]).includes('"type":"modify"')) loggedBefore.push(isLogged());
    return Reflect.apply<Socket, unknown[], boolean>(write, this, args);
  });
  await host.setTags(host.zonenames()[0] ?? '', { role: 'told' });
  await listening.until(({ type }) => type === 'modify');
  t.same(loggedBefore, [false]);
  await eventually(isLogged, 'it is logged');
});

void tap.test('a full disk', async (t) => {
  const full = openSync('/dev/full', 'w');
  const { daemon, url, host } = await start(t, full);
  closeSync(full);
  const listening = await listen(url);
  await happens(t, host, listening, url);
  t.match(await logStatus(url), { lostLines: /^[1-9]/, error: /ENOSPC/ });
  const { text } = await get(`${url}/metrics`);
  t.match(text, /^vminfod_log_lost_lines_total [1-9]/m);
  daemon.kill('SIGTERM');
  t.strictSame(await once(daemon, 'exit'), [0, null]);
  await listening.ended;
});

void tap.test('a reader that has stopped, and reads again', async (t) => {
  const { fd, read } = pipe(t);
  const { daemon, url, host } = await start(t, fd);
  const listening = await listen(url);
  await happens(t, host, listening, url);
  const { lostLines } = await logStatus(url);
  t.ok(lostLines > 0, `${lostLines} lines are lost`);

  let text = '';
  await eventually(() => (text += read()).includes(' lines of this log are lost'), 'the loss is said');
  await eventually(async () => (await logStatus(url)).error === null, 'all is well again');
  await host.setTags(host.zonenames()[0] ?? '', { after: true });
  await eventually(() => (text += read()).includes('tags.after'), 'and it goes on');
  const lines = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { msg: string; lostLines?: number });
  const said = lines.reduce((sum, line) => sum + (line.lostLines ?? 0), 0);
  t.equal(said, (await logStatus(url)).lostLines, 'all losses are said');
  daemon.kill('SIGTERM');
  t.strictSame(await once(daemon, 'exit'), [0, null]);
});

void tap.test('SIGTERM ends it in order though nobody reads what it says', async (t) => {
  const { fd } = pipe(t);
  const { daemon, url, host } = await start(t, fd);
  const listening = await listen(url);
  await happens(t, host, listening, url, 40);
  const startedAt = performance.now();
  daemon.kill('SIGTERM');
  t.strictSame(await once(daemon, 'exit'), [0, null]);
  t.comment(`it took ${Math.round(performance.now() - startedAt)} ms`);
  t.ok(performance.now() - startedAt < 15_000, 'long before SMF would kill it');
});

void tap.test('a reader that is gone', async (t) => {
  const { daemon, url, host } = await start(t, 'pipe');
  daemon.stdout?.destroy();
  const listening = await listen(url);
  await happens(t, host, listening, url, 40);
  t.match(await logStatus(url), { error: /EPIPE/ });
  daemon.kill('SIGTERM');
  t.strictSame(await once(daemon, 'exit'), [0, null]);
});

void tap.test('what ends the daemon is said on stderr', async (t) => {
  const full = openSync('/dev/full', 'w');
  const bug = 'process.on("SIGUSR2", () => { throw new RangeError("a bug") })';
  const { daemon } = await start(t, full, ['--import', `data:text/javascript,${encodeURIComponent(bug)}`]);
  closeSync(full);
  let stderr = '';
  daemon.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  daemon.kill('SIGUSR2');
  t.strictSame(await once(daemon, 'close'), [1, null]);
  t.match(stderr, /^vminfod: unexpected: RangeError: a bug\n +at /);
});

/** Changes one VM again and again: each change is sent, and as soon as if there were no log. */
async function happens(t: Test, host: SimulatedHost, listening: Listening, url: string, rounds = events) {
  const [zonename = ''] = host.zonenames();
  const latencies: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const startedAt = performance.now();
    await host.setTags(zonename, manyTags(round));
    await listening.until(
      (event) => event.type === 'modify' && event.changes.some(({ newValue }) => newValue === round),
      round - 1,
    );
    latencies.push(performance.now() - startedAt);
  }
  t.equal(listening.events.length, rounds, 'every change is told once');
  t.equal((await get(`${url}/ping`)).status, 200);
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
  const tenth = Math.ceil(rounds / 10);
  const [first, last] = [median(latencies.slice(0, tenth)), median(latencies.slice(-tenth))];
  t.comment(`latency, median: ${first.toFixed(1)} ms at first, ${last.toFixed(1)} ms in the end`);
}

interface LogStatus {
  readonly lostLines: number;
  readonly error: string | null;
}

async function logStatus(url: string): Promise<LogStatus> {
  return ((await get(`${url}/status`)).json as { log: LogStatus }).log;
}

/** Its log cannot tell the port, so that it gets one that was just free. */
async function start(
  t: Test,
  stdout: number | 'pipe',
  node: readonly string[] = [],
): Promise<{ daemon: ChildProcess; url: string; host: SimulatedHost }> {
  const host = await createSimulatedHost({ vms: 2 });
  t.teardown(() => host.remove());
  const port = await freePort();
  const args = [...node, vminfod, '--root', host.root, '--port', String(port)];
  const daemon = spawn(process.execPath, args, { stdio: ['ignore', stdout, 'pipe'] });
  t.teardown(async () => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
    daemon.kill('SIGKILL');
    await once(daemon, 'exit');
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = () => get(`${url}/ping`).then(({ status }) => status === 200, () => false); // prettier-ignore
  await eventually(isReady, 'it is ready');
  return { daemon, url, host };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A pipe that is read only by calling `read`, which returns its content. */
function pipe(t: Test): { readonly fd: number; readonly read: () => string } {
  const dir = mkdtempSync(join(tmpdir(), 'vminfod-log-'));
  const path = join(dir, 'fifo');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, 'r+');
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  t.teardown(() => {
    closeSync(fd);
    closeSync(reader);
    rmSync(dir, { recursive: true });
  });
  const buffer = Buffer.alloc(65_536);
  return {
    fd,
    read: () => {
      try {
        return buffer.toString('utf8', 0, readSync(reader, buffer));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        return '';
      }
    },
  };
}
