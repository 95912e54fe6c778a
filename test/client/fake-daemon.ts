/**
 * A vminfod for tests of the client: vminfod(8)'s protocol over node:http, with the faults that a test asks for. `old`
 * omits everything that the platform's vminfod lacks.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Test } from 'tap';
import { aStatus } from '../cli/a-status.js';
import { diff } from '../../lib/vm/diff.js';
import type { VmObject } from '../../lib/vm/vm-object.js';

export interface FakeDaemonOptions {
  readonly vms?: readonly VmObject[];
  readonly old?: boolean;
  /** A Unix socket instead of a port. */
  readonly socketPath?: string;
  /** Answers in place of the daemon's; return false to leave a request to it. */
  readonly intercept?: (path: string, response: ServerResponse) => boolean;
}

export class FakeDaemon {
  readonly vms = new Map<string, VmObject>();
  /** The `user-agent` and path of every request. */
  readonly requests: { path: string; userAgent: string | undefined }[] = [];
  readonly #options: FakeDaemonOptions;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response);
  });
  readonly #sockets = new Set<Socket>();
  readonly #listeners = new Set<ServerResponse>();
  #instance = randomUUID();
  #log: { seq: number; zonename: string; line: string }[] = [];
  #seq = 0;
  #port = 0;

  private constructor(options: FakeDaemonOptions) {
    this.#options = options;
    for (const vm of options.vms ?? []) this.vms.set(vm.zonename, vm);
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.#server.emit('gone');
      });
    });
  }

  /** Starts one that ends with the test. */
  static async start(t: Test, options: FakeDaemonOptions = {}): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(options);
    await daemon.up();
    t.teardown(() => daemon.down());
    return daemon;
  }

  get url(): string {
    return this.#options.socketPath ? `unix:${this.#options.socketPath}` : `http://127.0.0.1:${this.#port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async up(): Promise<void> {
    const { socketPath } = this.#options;
    this.#server.listen(socketPath ? { path: socketPath } : { port: this.#port, host: '127.0.0.1' });
    await once(this.#server, 'listening');
    if (!socketPath) this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** The process dies: every connection is cut, its memory of events is gone. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    this.dropConnections();
    this.#server.close();
    await once(this.#server, 'close');
    this.#instance = randomUUID();
    this.#log = [];
    this.#seq = 0;
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Resolves when no connection is open; a leak times the test out. */
  async quiet(): Promise<void> {
    while (this.#sockets.size > 0) await once(this.#server, 'gone');
  }

  /** Resolves when `count` listeners have had their `ready`. */
  async listening(count = 1): Promise<void> {
    while (this.listeners !== count) await once(this.#server, 'listener');
  }

  set(vm: VmObject): void {
    const old = this.vms.get(vm.zonename);
    this.vms.set(vm.zonename, vm);
    if (!old) this.#publish(vm, { type: 'create', vm });
    else this.#publish(vm, { type: 'modify', vm, changes: diff(old, vm) });
  }

  change(zonename: string, properties: Partial<VmObject>): void {
    const old = this.vms.get(zonename);
    if (old) this.set({ ...old, ...properties });
  }

  delete(zonename: string): void {
    const vm = this.vms.get(zonename);
    this.vms.delete(zonename);
    if (vm) this.#publish(vm, { type: 'delete' });
  }

  /** Writes to every listener as it stands. */
  raw(text: string): void {
    for (const listener of this.#listeners) listener.write(text);
  }

  /** Sends the last word to listeners that did not read, and ends them. */
  overflow(): void {
    this.raw(`${JSON.stringify({ type: 'overflow', since: `${this.#instance}:${this.#seq}` })}\n`);
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }

  #publish({ zonename, uuid }: VmObject, event: object): void {
    const seq = ++this.#seq;
    const date = new Date().toISOString();
    const line = `${JSON.stringify({ ...event, date, zonename, uuid, ...(!this.#options.old && { seq }) })}\n`;
    this.#log.push({ seq, zonename, line });
    for (const listener of this.#listeners) listener.write(line);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.requests.push({ path, userAgent: request.headers['user-agent'] });
    if (this.#options.intercept?.(path, response)) return;
    const { pathname, searchParams } = new URL(path, 'http://host');
    const vms = [...this.vms.values()];
    const [, first, zonename] = pathname.split('/');
    if (pathname === '/ping') json(response, 200, { ping: 'pong' });
    else if (pathname === '/status')
      json(response, 200, aStatus({ pid: 1, numVms: vms.length, refreshErrors: [] }));
    else if (pathname === '/vms') json(response, 200, vms);
    else if (pathname === '/events') this.#listen(searchParams, response);
    else if (first === 'vms' && this.vms.has(zonename ?? ''))
      json(response, 200, this.vms.get(zonename ?? ''));
    else json(response, 404, { code: 'NotFound', message: `no such VM: ${zonename ?? ''}` });
  }

  #listen(query: URLSearchParams, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    const ready = { type: 'ready', date: new Date().toISOString(), uuid: randomUUID() };
    const vms = [...this.vms.values()];
    const [instance, since] = query.get('since')?.split(':') ?? [];
    if (this.#options.old) {
      response.write(`${JSON.stringify({ ...ready, vms: JSON.stringify(vms) })}\n`);
    } else if (instance === this.#instance) {
      const missed = this.#log.filter(({ seq }) => seq > Number(since));
      const place = { instance, seq: Number(since), resumed: true };
      response.write(`${JSON.stringify({ ...ready, ...place })}\n${missed.map(({ line }) => line).join('')}`);
    } else {
      const place = { instance: this.#instance, seq: this.#seq, resumed: false };
      response.write(`${JSON.stringify({ ...ready, ...place, vms })}\n`);
    }
    this.#listeners.add(response);
    this.#server.emit('listener');
    response.on('close', () => {
      this.#listeners.delete(response);
      this.#server.emit('listener');
    });
  }
}

/** Answers with JSON. */
export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
