/**
 * The connections of a server, as many as there may be. One more ends the oldest that is idle: a client that opens a
 * thousand and says nothing must not keep out who has something to ask. What has a request under way is never ended.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { mostOf, type Holders } from '../holders.js';

/** How crowded it is. */
export interface ConnectionsStatus {
  readonly open: number;
  readonly max: number;
  /** How many were ended, or turned away, because there were too many. */
  readonly ended: number;
  /** Who has most of them. */
  readonly holders: Holders;
}

/** Called when one is ended. Counting who has them takes a while, so it is left to whoever wants to know. */
export type OnCrowded = (status: () => ConnectionsStatus) => void;

interface Connection {
  /** Who asked last. */
  userAgent: string;
  /** Requests whose answer is not made yet. */
  requests: number;
}

export class Connections {
  readonly #max: number;
  readonly #onCrowded: OnCrowded;
  readonly #open = new Map<Socket, Connection>();
  /** Those without a request, since when they have none: the oldest first. */
  readonly #idle = new Set<Socket>();
  #ended = 0;

  constructor(server: Server, max: number, onCrowded: OnCrowded) {
    this.#max = max;
    this.#onCrowded = onCrowded;
    server.on('connection', (socket) => {
      this.#add(socket);
    });
  }

  /** A request has come. */
  began({ socket, headers }: IncomingMessage): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.userAgent = headers['user-agent'] ?? '-';
    connection.requests++;
    this.#idle.delete(socket);
  }

  /** All of its answer is made; it may still be on its way. */
  answered({ socket }: IncomingMessage): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined && --connection.requests === 0) this.#idle.add(socket);
  }

  status(): ConnectionsStatus {
    const names = [...this.#open.values()].map(({ userAgent }) => userAgent);
    return { open: this.#open.size, max: this.#max, ended: this.#ended, holders: mostOf(names) };
  }

  #add(socket: Socket): void {
    this.#open.set(socket, { userAgent: '-', requests: 0 });
    this.#idle.add(socket);
    socket.once('close', () => {
      this.#forget(socket);
    });
    if (this.#open.size <= this.#max) return;
    for (const each of this.#idle) {
      if (each.writableLength > 0) continue; // An answer is on its way.
      each.destroy();
      this.#forget(each);
      this.#ended++;
      this.#onCrowded(() => this.status());
      return;
    }
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#idle.delete(socket);
  }
}
