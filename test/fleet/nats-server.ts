/** A nats-server of a test's own: a free port of 127.0.0.1, a temporary directory, and nothing left of it afterwards. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../daemon/harness.js';

export interface NatsServerOptions {
  /** More of its configuration, e.g. `authorization { … }`. */
  readonly config?: string;
}

export interface NatsServer {
  /** `nats://127.0.0.1:port`; the port stays the same over restarts. */
  readonly url: string;
  readonly port: number;
  /** Of its monitoring, for a configuration that has `http`. */
  readonly monitor: string | undefined;
  readonly directory: string;
  readonly pid: () => number;
  start(): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  /** Ends with SIGKILL and resolves when the process is gone. */
  crash(): Promise<void>;
  /** Copies the store of a server that does not run, or takes such a copy for its store. */
  saveStore(): void;
  restoreStore(): void;
  deleteStore(): void;
  /** Ends it, and removes the directory. */
  remove(): Promise<void>;
}

/** Whether there is a nats-server to test with. `.ci/run` installs it. */
export const hasNatsServer = await promisify(execFile)('nats-server', ['--version']).then(
  () => true,
  () => false,
);

/** For tap: skips what needs a nats-server where there is none. */
export const needsNats = { skip: !hasNatsServer && 'nats-server is not installed' };

export async function startNatsServer({ config = '' }: NatsServerOptions = {}): Promise<NatsServer> {
  const directory = mkdtempSync(join(tmpdir(), 'fleet-nats-'));
  const store = join(directory, 'store');
  const saved = join(directory, 'saved');
  const configFile = join(directory, 'nats.conf');
  let port = -1;
  let monitor: string | undefined;
  let child: ChildProcess | undefined;

  const start = async () => {
    const ports = join(directory, 'ports');
    rmSync(ports, { recursive: true, force: true });
    writeFileSync(
      configFile,
      `listen: "127.0.0.1:${port}"\nports_file_dir: "${directory}"\njetstream { store_dir: "${store}" }\n${config}\n`,
    );
    for (const file of readdirSync(directory)) if (file.endsWith('.ports')) rmSync(join(directory, file));
    child = spawn('nats-server', ['-c', configFile, '-l', join(directory, 'log')], { stdio: 'ignore' });
    const started = child;
    const portsFile = () => readdirSync(directory).find((file) => file.endsWith('.ports'));
    await eventually(() => {
      if (started.exitCode !== null) throw new Error(readFileSync(join(directory, 'log'), 'utf8'));
      const file = portsFile();
      return file !== undefined && readFileSync(join(directory, file), 'utf8').includes('nats://');
    }, 'nats-server listens');
    const { nats, monitoring } = JSON.parse(readFileSync(join(directory, portsFile() ?? ''), 'utf8')) as {
      nats: string[];
      monitoring?: string[];
    };
    monitor = monitoring?.[0];
    port = Number(new URL(nats[0] ?? '').port);
  };
  await start();

  const crash = async () => {
    const running = child;
    child = undefined;
    if (running?.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  };
  const copy = (from: string, to: string) => {
    rmSync(to, { recursive: true, force: true });
    if (existsSync(from)) cpSync(from, to, { recursive: true });
  };
  return {
    get url() {
      return `nats://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    get monitor() {
      return monitor;
    },
    directory,
    pid: () => child?.pid ?? 0,
    start,
    kill: (signal) => child?.kill(signal),
    crash,
    saveStore: () => {
      copy(store, saved);
    },
    restoreStore: () => {
      copy(saved, store);
    },
    deleteStore: () => {
      rmSync(store, { recursive: true, force: true });
    },
    remove: async () => {
      await crash();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
