/**
 * `npm run demo:fleet`: nats-server, simulated hosts each with a daemon and a publisher, VMs that change, and the fleet's
 * events.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { NEVER } from 'rxjs';
import { defaultListen, defaultRescanIntervalMs } from '../lib/config.js';
import { startDaemon } from '../lib/daemon.js';
import { connectNats } from '../lib/fleet/connection.js';
import { initFleet } from '../lib/fleet/streams.js';
import { createLog } from '../lib/log.js';
import { Sink } from '../lib/sink.js';
import { createSimulatedHost, lifelike } from '../lib/simulator/index.js';

const { hosts, vms } = new Command('npm run demo:fleet --')
  .description('Runs a fleet of simulated hosts on this machine, in which something happens all the time.')
  .option('--hosts <n>', 'how many hosts', wholeNumber, 3)
  .option('--vms <n>', 'how many VMs each has', wholeNumber, 12)
  .allowExcessArguments(false)
  .parse()
  .opts<{ hosts: number; vms: number }>();

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted.abort();
  });
}

/** What to undo at the end, last first. */
const cleanups: (() => unknown)[] = [];
try {
  await demo();
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}

async function demo(): Promise<void> {
  const url = await startNats();
  if (url === undefined) return;
  const nats = await connectNats({ servers: [url] }, 'demo');
  await initFleet(nats);
  await nats.connection.close();
  for (let number = 1; number <= hosts; number++) await startHost(url, number);
  const vminfo = `node dist/sbin/vminfo.cjs -F ${url}`;
  process.stdout.write(`
${hosts} simulated hosts with ${vms} VMs each publish to ${url}

In another terminal:
  ${vminfo} fleet hosts      also: doctor
  ${vminfo} list -o host,uuid,state,alias

Below, what happens in the fleet. Ctrl-C ends it and removes everything.

`);
  const events = run('vminfo.cjs', ['-F', url, 'events'], 'inherit');
  await Promise.race([once(interrupted.signal, 'abort'), once(events, 'exit')]);
}

async function startNats(): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), 'vminfo-fleet-'));
  cleanups.push(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  const config = join(directory, 'nats.conf');
  writeFileSync(
    config,
    `listen: "${defaultListen}:-1"\nports_file_dir: "${directory}"\njetstream { store_dir: "${directory}" }\n`,
  );
  const server = spawn('nats-server', ['-c', config, '-l', join(directory, 'log')], {
    stdio: 'ignore',
    detached: true,
  });
  const failed = await Promise.race([
    once(server, 'spawn').then(() => undefined),
    once(server, 'error').then(([error]) => error as NodeJS.ErrnoException),
  ]).catch((error: unknown) => error as NodeJS.ErrnoException);
  if (failed) {
    process.stderr.write(
      `nats-server: ${failed.message}; apt-get install nats-server, or https://nats.io/download\n`,
    );
    process.exitCode = 1;
    return undefined;
  }
  cleanups.push(() => end(server));
  for (;;) {
    interrupted.signal.throwIfAborted();
    const file = readdirSync(directory).find((name) => name.endsWith('.ports'));
    const text = file === undefined ? '' : readFileSync(join(directory, file), 'utf8');
    if (text.includes('nats://')) return (JSON.parse(text) as { nats: string[] }).nats[0];
    if (server.exitCode !== null) throw new Error(readFileSync(join(directory, 'log'), 'utf8'));
    await sleep(20);
  }
}

async function startHost(nats: string, number: number): Promise<void> {
  const host = await createSimulatedHost({ vms, seed: number });
  cleanups.push(() => host.remove());
  const daemon = await startDaemon({
    root: host.root,
    listen: defaultListen,
    port: 0,
    rescanIntervalMs: defaultRescanIntervalMs,
    log: createLog('vminfod', 'fatal', new Sink(1)),
    requests: NEVER,
  });
  cleanups.push(() => daemon.close());
  const publisher = run(
    'vminfod-publisher.js',
    ['--servers', nats, '--url', daemon.url, '--root', host.root, '--hostname', `host-${number}`],
    'ignore',
  );
  cleanups.push(() => end(publisher));
  const life = lifelike(host, { seed: number, createAndDestroy: false }).subscribe();
  cleanups.push(() => {
    life.unsubscribe();
  });
}

function run(program: string, args: readonly string[], stdio: 'inherit' | 'ignore'): ChildProcess {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [file, ...args], { stdio });
  cleanups.push(() => end(child));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill();
  await gone;
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a whole number from 1.');
}
