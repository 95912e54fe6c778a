/**
 * One open `/events` request. It is served as long as it reads: past its byte limit or its deadline it gets a last line
 * that says where to resume and a moment to read it, and then its socket is destroyed.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { listeners } from '../config.js';
import { frameOf, type Format, type Frame } from './frames.js';
import type { EventsParameters } from './parameters.js';

/** What a listener asked for. */
export interface ListenerRequest {
  readonly parameters: EventsParameters;
  readonly format: Format;
  /** The query as it was given. */
  readonly query: string;
}

/** A listener's limits; see config.ts. */
export type ListenerLimits = Readonly<Record<keyof typeof listeners, number>>;

export class Listener {
  readonly uuid = randomUUID();
  /** By process.hrtime. */
  readonly createdNs = process.hrtime.bigint();
  readonly userAgent: string;
  readonly request: ListenerRequest;
  /** It has seen all events up to this one that it asked for. Meaningful only while it catches up. */
  seq = 0;
  readonly #response: ServerResponse;
  readonly #limits: ListenerLimits;
  #limitBytes: number;
  #nextHeartbeatAt = Number.POSITIVE_INFINITY;
  /** The end of the bytes written at some time: if these are still unsent at the deadline, the listener is too slow. */
  #probe: { readonly offset: number; readonly at: number } | undefined;
  #destroyAt: number | undefined;

  constructor(
    message: IncomingMessage,
    response: ServerResponse,
    request: ListenerRequest,
    limits: ListenerLimits,
  ) {
    this.userAgent = message.headers['user-agent'] ?? '';
    this.request = request;
    this.#response = response;
    this.#limits = limits;
    this.#limitBytes = limits.maxUnsentBytes;
  }

  get unsentBytes(): number {
    return this.#response.writableLength;
  }

  /** False once it is being ended, or its connection is gone. */
  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed;
  }

  /** Begins the answer. These bytes do not count for the byte limit; `flushed` is called when they are sent. */
  start(parts: readonly Buffer[], flushed: () => void): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.#limitBytes += length;
    this.#response.writeHead(200, headers[this.request.format]);
    for (const [index, part] of parts.entries()) {
      if (index < parts.length - 1) this.#response.write(part);
      else this.#response.write(part, flushed);
    }
  }

  /** Writes bytes that others get as well. False, with nothing written, when there is no room for them. */
  write({ chunk, body, length }: Frame): boolean {
    const unsent = this.unsentBytes;
    if (unsent > 0 && unsent + length > this.#limitBytes) return false;
    const { socket, chunkedEncoding } = this.#response;
    // Straight to the socket: node would frame the same bytes again for each listener. A response that waits for its turn
    // on a pipelined connection has no socket yet.
    if (socket !== null && chunkedEncoding) writeParts(socket, chunk);
    else writeParts(this.#response, body);
    return true;
  }

  /** Resolves when nothing is unsent, or the connection is gone. */
  async drained(): Promise<void> {
    const response = this.#response;
    const writable = response.socket ?? response;
    await new Promise<void>((resolve) => {
      const done = () => {
        writable.off('drain', done);
        response.off('close', done);
        resolve();
      };
      writable.on('drain', done);
      response.on('close', done);
    });
  }

  /** If it asked for heartbeats, the first is due now. */
  startHeartbeats(now: number): void {
    if (this.request.parameters.heartbeatMs !== undefined) this.#nextHeartbeatAt = now;
  }

  /** Whether a heartbeat is due; then the next is due a period later. */
  takeHeartbeat(now: number): boolean {
    const { heartbeatMs } = this.request.parameters;
    if (heartbeatMs === undefined || now + this.#limits.tickMs / 2 < this.#nextHeartbeatAt) return false;
    this.#nextHeartbeatAt = now + heartbeatMs;
    return true;
  }

  /** Whether its oldest unsent byte has waited longer than the deadline. To be called periodically. */
  isStalled(now: number): boolean {
    const unsent = this.unsentBytes;
    const written = this.#response.socket?.bytesWritten ?? unsent;
    if (unsent === 0) this.#probe = undefined;
    else if (this.#probe === undefined || written - unsent >= this.#probe.offset)
      this.#probe = { offset: written, at: now };
    return this.#probe !== undefined && now - this.#probe.at > this.#limits.writeDeadlineMs;
  }

  /** Ends it with a last line, if that still fits. Its socket stays open for a grace period. */
  cut(now: number, lastLine: readonly Buffer[]): void {
    this.write(frameOf(lastLine));
    this.#destroyAt = now + this.#limits.overflowGraceMs;
    this.#response.end();
  }

  /** Destroys it when its grace period is over. */
  destroyWhenDue(now: number): void {
    if (this.#destroyAt !== undefined && now >= this.#destroyAt) this.#response.destroy();
  }

  /** A clean end. */
  end(): void {
    this.#response.end();
  }
}

const headers: Readonly<Record<Format, Record<string, string>>> = {
  json: { 'Content-Type': 'application/json' },
  sse: { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' },
};

/** In one call into the system. */
function writeParts(writable: Writable, parts: readonly Buffer[]): void {
  if (parts.length > 1) writable.cork();
  for (const part of parts) writable.write(part);
  if (parts.length > 1) writable.uncork();
}
