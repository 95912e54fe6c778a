/** Many listeners that only count bytes, so that what they cost us is little: over HTTP, or of a bare TCP server. */
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

export interface ManyListeners {
  /** When the first and the last of them have got bytes again. The next call counts from then. */
  next(): Promise<{ readonly firstAt: number; readonly lastAt: number }>;
  close(): void;
}

/** Opens listeners; for HTTP, resolves when each is live. */
export async function openListeners(port: number, count: number, overHttp: boolean): Promise<ManyListeners> {
  const sockets: Socket[] = [];
  let waiting = new Set<Socket>();
  let firstAt = 0;
  let done: (times: { firstAt: number; lastAt: number }) => void = () => undefined;
  const next = () =>
    new Promise<{ firstAt: number; lastAt: number }>((resolve) => {
      waiting = new Set(sockets);
      firstAt = 0;
      done = resolve;
    });
  const buffer = Buffer.alloc(64 * 1024);
  const request = `GET /events?vms=none HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  for (let index = 0; index < count; index++) {
    await new Promise<void>((resolve, reject) => {
      let isLive = false;
      const socket: Socket = connect({
        port,
        host: '127.0.0.1',
        onread: {
          buffer,
          callback: (bytes) => {
            if (!isLive) {
              isLive = buffer.toString('latin1', 0, bytes).includes('"ready"');
              if (isLive) resolve();
              return true;
            }
            if (!waiting.delete(socket)) return true;
            const now = performance.now();
            if (firstAt === 0) firstAt = now;
            if (waiting.size === 0) done({ firstAt, lastAt: now });
            return true;
          },
        },
      });
      socket.on('error', reject);
      socket.on('connect', () => {
        sockets.push(socket);
        if (overHttp) {
          socket.write(request);
        } else {
          isLive = true;
          resolve();
        }
      });
    });
  }
  return {
    next,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
