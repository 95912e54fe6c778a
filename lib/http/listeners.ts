/**
 * The listeners of `/events`: each gets the state and then every change after it, in order. A line is made once for
 * all of them, and a listener that does not read is cut off at its limit; it costs the others nothing.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import type { Logger } from 'pino';
import { map, share, type Observable } from 'rxjs';
import type { Commit, Snapshot } from '../cache/vm-store.js';
import { listeners as limits } from '../config.js';
import { eventLine, type SerialisedVms } from './serialised.js';

/** One open `/events` request, as `/status` shows it. */
export interface ListenerStatus {
  readonly uuid: string;
  readonly userAgent: string;
  readonly created: Date;
}

export interface ListenersOptions {
  readonly snapshot: { readonly value: Snapshot };
  readonly commits: Observable<Commit>;
  readonly serialised: SerialisedVms;
  readonly log: Logger;
}

/** The open `/events` requests. */
export interface Listeners {
  /** Serves a request until either side ends it. */
  add(request: IncomingMessage, response: ServerResponse): void;
  list(): readonly ListenerStatus[];
}

/** Nobody listens yet. All listeners end when `commits` completes. */
export function createListeners({ snapshot, commits, serialised, log }: ListenersOptions): Listeners {
  const open = new Map<string, ListenerStatus>();
  /** One subscription and one line per commit, however many listen. */
  const lines = commits.pipe(map(eventLine), share());

  return {
    list: () => [...open.values()],
    add: (request, response) => {
      const uuid = randomUUID();
      open.set(uuid, { uuid, userAgent: request.headers['user-agent'] ?? '', created: new Date() });
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const head = JSON.stringify({ type: 'ready', date: new Date().toISOString(), uuid }).slice(0, -1);
      const vms = serialised.string(snapshot.value);
      response.write(Buffer.concat([Buffer.from(`${head},"vms":"`), vms, Buffer.from('"}\n')]));

      const subscription = lines.subscribe({
        next: (line) => {
          response.write(line);
          if (response.writableLength <= limits.maxUnsentBytes) return;
          log.warn(
            { listener: uuid, unsentBytes: response.writableLength },
            'a listener does not read: cut off',
          );
          response.destroy();
        },
        complete: () => {
          response.end();
        },
      });
      finished(response, () => {
        subscription.unsubscribe();
        open.delete(uuid);
      });
    },
  };
}
