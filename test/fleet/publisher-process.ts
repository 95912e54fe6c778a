/** vminfod-publisher as a process of its own, which can be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../sbin/vminfod-publisher.js', import.meta.url));

export class PublisherProcess {
  readonly #flags: readonly string[];
  #child: ChildProcess;
  #output = '';

  /** @param flags Where the daemon, NATS and the host are. */
  constructor(flags: readonly string[]) {
    this.#flags = flags;
    this.#child = this.#spawn();
  }

  /** What it logged and said. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Ends it with SIGKILL and restarts it. */
  async crash(): Promise<void> {
    await this.end('SIGKILL');
    this.#child = this.#spawn();
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [program, '--log-level', 'debug', ...this.#flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const onData = (data: Buffer) => (this.#output += data.toString());
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    return child;
  }
}
