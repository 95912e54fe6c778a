/**
 * Load on an HTTP server over kept connections, one request after the other on each, with little work of our own: an
 * answer is counted by its bytes, which are as many each time.
 */
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { once } from 'node:events';

/** What a server did under load. */
export interface LoadResult {
  readonly perSecond: number;
  /** Of each answer, ms. */
  readonly latenciesMs: readonly number[];
}

/** Open connections, each with the path that it asks for. */
export interface Load {
  run(durationMs: number): Promise<LoadResult>;
  close(): void;
}

/** Opens a connection for each of the paths, and learns how long the answers are. */
export async function openLoad(port: number, paths: readonly string[]): Promise<Load> {
  const connections = await Promise.all(paths.map((path) => openConnection(port, path)));
  return {
    run: async (durationMs) => {
      const latenciesMs: number[] = [];
      const startedAt = performance.now();
      await Promise.all(connections.map((each) => each.ask(startedAt + durationMs, latenciesMs)));
      return { perSecond: (latenciesMs.length / (performance.now() - startedAt)) * 1000, latenciesMs };
    },
    close: () => {
      for (const { socket } of connections) socket.destroy();
    },
  };
}

async function openConnection(port: number, path: string) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  socket.write(request);
  const answerBytes = await lengthOfAnswer(socket);
  return {
    socket,
    ask: (until: number, latenciesMs: number[]) =>
      new Promise<void>((resolve, reject) => {
        let bytes = 0;
        let askedAt = performance.now();
        const take = (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes < answerBytes) return;
          if (bytes > answerBytes) reject(new Error(`${path}: an answer was longer than the first`));
          const now = performance.now();
          latenciesMs.push(now - askedAt);
          bytes = 0;
          askedAt = now;
          if (now < until) {
            socket.write(request);
          } else {
            socket.off('data', take);
            resolve();
          }
        };
        socket.on('data', take);
        // A server closes a connection that was idle for long: then there is nothing to wait for.
        socket.once('close', () => {
          reject(new Error(`${path}: the connection was closed`));
        });
        socket.write(request);
      }),
  };
}

/** Bytes of the answer that comes, headers included; it has a Content-Length. */
async function lengthOfAnswer(socket: Socket): Promise<number> {
  let head = '';
  let bytes = 0;
  let total = Number.POSITIVE_INFINITY;
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (total === Number.POSITIVE_INFINITY) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        const length = /\r\ncontent-length: (\d+)/i.exec(head.slice(0, Math.max(0, end)))?.[1];
        if (length !== undefined) total = end + 4 + Number(length);
      }
      if (bytes < total) return;
      socket.off('data', take);
      resolve(total);
    };
    socket.on('data', take);
  });
}
