/** The method script under sh, with SMF's own parts stubbed, a stand-in for the daemon, and the real vminfo. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import tap, { type Test } from 'tap';
import { eventually } from '../daemon/harness.js';
import { FakeDaemon } from '../client/fake-daemon.js';

const exec = promisify(execFile);
const method = fileURLToPath(new URL('../../../smf/vminfod', import.meta.url));
const vminfo = fileURLToPath(new URL('../../sbin/vminfo.cjs', import.meta.url));

/** Answers 503 at first, as a daemon that loads; records its arguments and each SIGHUP. */
const daemon = `
const { createServer } = require('node:http');
const { writeFileSync } = require('node:fs');
const file = __dirname + '/daemon.json';
const args = process.argv.slice(2);
let hangups = 0;
const write = () => writeFileSync(file, JSON.stringify({ pid: process.pid, args, hangups, compiled: process.env.NODE_COMPILE_CACHE }));
process.on('SIGHUP', () => { hangups++; write(); });
process.on('SIGTERM', () => process.exit());
let refusals = 2;
const status = { pid: process.pid, queue: { vasync_queue: {} }, refreshErrors: [], eventsListeners: {}, memory: {} };
const server = createServer((request, response) => {
  if (request.url === '/ping' && refusals-- > 0) response.writeHead(503).end('{"code":"NotReady"}');
  else response.end(JSON.stringify(request.url === '/ping' ? { ping: 'pong' } : status));
});
server.on('error', () => process.exit(1));
server.listen(Number(args[args.indexOf('--port') + 1]), '127.0.0.1', write);
`;

interface Stage {
  readonly run: (name: string) => Promise<{ code: number; stderr: string }>;
  readonly daemon: () => Promise<{ pid: number; args: string[]; hangups: number; compiled?: string }>;
}

async function stage(t: Test, properties: Readonly<Record<string, string>>): Promise<Stage> {
  const root = t.testdir();
  const file = async (name: string, text: string, mode = 0o644) => {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text, { mode });
  };
  await file('include.sh', 'SMF_EXIT_OK=0 SMF_EXIT_ERR_FATAL=95 SMF_EXIT_ERR_CONFIG=96\n');
  const script = (await readFile(method, 'utf8')).replace(
    '/lib/svc/share/smf_include.sh',
    join(root, 'include.sh'),
  );
  await file('smf/vminfod', script, 0o755);
  await file('dist/sbin/vminfod.cjs', daemon);
  await file('dist/sbin/vminfo.cjs', `require(${JSON.stringify(vminfo)});`);
  const all = {
    listen: '127.0.0.1',
    rescan_interval: '5m',
    log_level: 'info',
    allow_remote: 'false',
    ...properties,
  };
  const cases = Object.entries(all).map(([name, value]) => `config/${name}) echo '${value}' ;;`);
  await file(
    'bin/svcprop',
    `#!/bin/sh\ncase $2 in\n${cases.join('\n')}\nrestarter/contract) echo 42 ;;\n*) exit 1 ;;\nesac\n`,
    0o755,
  );
  const state = join(root, 'dist/sbin/daemon.json');
  await file(
    'bin/pgrep',
    `#!/bin/sh\n[ "$*" = '-o -c 42' ] && sed 's/.*"pid":\\([0-9]*\\).*/\\1/' '${state}'\n`,
    0o755,
  );
  const env = {
    PATH: `${root}/bin:${dirname(process.execPath)}:/usr/bin:/bin`,
    SMF_FMRI: 'svc:/system/vminfod:default',
  };
  return {
    run: async (name) => {
      // The daemon keeps what it inherits, so that a pipe would not end with the method.
      const stderr = openSync(join(root, 'stderr'), 'w');
      const child = spawn('sh', [join(root, 'smf/vminfod'), name], {
        env,
        stdio: ['ignore', 'ignore', stderr],
      });
      const [code] = (await once(child, 'exit')) as [number];
      closeSync(stderr);
      return { code, stderr: await readFile(join(root, 'stderr'), 'utf8') };
    },
    daemon: async () => JSON.parse(await readFile(state, 'utf8')) as Awaited<ReturnType<Stage['daemon']>>,
  };
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

void tap.test('is a shell script', async (t) => {
  await exec('sh', ['-n', method]);
  t.match(await readFile(method, 'utf8'), /^#!\/sbin\/sh\n/);
});

void tap.test('start returns once the daemon answers, refresh sends it SIGHUP', async (t) => {
  const port = await freePort();
  const { run, daemon: state } = await stage(t, { port, log_level: 'debug' });
  t.strictSame(await run('start'), { code: 0, stderr: '' });
  const { pid, args, compiled } = await state();
  t.teardown(() => process.kill(pid));
  t.equal(compiled, '/var/run/vminfod.compiled');
  t.strictSame(args, [
    '--listen',
    '127.0.0.1',
    '--port',
    port,
    '--rescan-interval',
    '5m',
    '--log-level',
    'debug',
  ]);
  t.match(await run('refresh'), { code: 0 });
  await eventually(async () => (await state()).hangups === 1, 'SIGHUP');
});

void tap.test('--allow-remote is passed on only when asked for', async (t) => {
  const { run, daemon: state } = await stage(t, {
    port: await freePort(),
    listen: '0.0.0.0',
    allow_remote: 'true',
  });
  t.strictSame(await run('start'), { code: 0, stderr: '' });
  const { pid, args } = await state();
  t.teardown(() => process.kill(pid));
  t.equal(args.at(-1), '--allow-remote');
});

void tap.test('start fails when the daemon ends, even if another answers on its port', async (t) => {
  const other = await FakeDaemon.start(t);
  const { run } = await stage(t, { port: new URL(other.url).port });
  t.match(await run('start'), { code: 1, stderr: /ended before it was ready/ });
});

void tap.test('start fails with a configuration error when a property is missing', async (t) => {
  const { run } = await stage(t, {});
  t.match(await run('start'), { code: 96 });
  t.match(await run('refresh'), { code: 95 });
  t.match(await run('bogus'), { code: 95, stderr: /usage:/ });
});
