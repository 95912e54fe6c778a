/**
 * The fleet's changes across any number of consumers. It resumes where it was if the message there is still the same;
 * otherwise it reads everything and emits the differences.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadyEvent } from '../client/events.js';
import { reconnectMaxMs, reconnectMinMs } from '../config.js';
import { Backoff } from './backoff.js';
import type { Nats } from './connection.js';
import { consume } from './consume.js';
import { headerNames, vmStream } from './names.js';
import { decodeMessage, type StoredMessage } from './message.js';
import type { FleetEvent, FleetMirror, Place } from './mirror.js';

export interface FleetFollowOptions {
  /** Subjects of the VMs (names.ts). */
  readonly filter: string;
  readonly mirror: FleetMirror;
  readonly reconnect: boolean;
  /** Called for each loss, before the retry. */
  readonly onDisconnect?: ((error: Error) => void) | undefined;
  /** Called when the stream is live again, with how many changes were told of what happened meanwhile. */
  readonly onReconnect?: ((missed: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** One `ready`, then changes. @throws VminfodError when it cannot begin; the signal's reason. */
export async function* followFleet(
  nats: Nats,
  { filter, mirror, reconnect, onDisconnect, onReconnect, signal }: FleetFollowOptions,
): AsyncGenerator<ReadyEvent | FleetEvent, never> {
  const backoff = new Backoff(reconnectMinMs, reconnectMaxMs);
  let isReady = false;
  let isLost = false;
  for (;;) {
    try {
      const known: Place | undefined = isLost ? undefined : mirror.place;
      isLost = false;
      let isResumed = false;
      let snapshot: StoredMessage[] | undefined = known === undefined ? [] : undefined;
      let missed = 0;
      for await (const raw of consume(nats, vmStream, {
        filter,
        signal,
        ...(known !== undefined && { from: known.revision }),
      })) {
        if (known !== undefined && !isResumed) {
          // The stream no longer has what was known: it is another one, or too much has happened.
          isLost = raw === 'abreast' || raw.header(headerNames.messageId) !== known.id;
          if (isLost) break;
          isResumed = true;
        }
        if (raw === 'abreast') {
          if (snapshot !== undefined) {
            const differences = mirror.replace(snapshot);
            snapshot = undefined;
            missed = differences.length;
            if (isReady) yield* differences;
            else yield { type: 'ready', date: new Date().toISOString(), uuid: randomUUID(), vms: mirror.vms };
          }
          if (isReady) onReconnect?.(missed);
          isReady = true;
          continue;
        }
        backoff.reset();
        const message = decodeMessage(raw);
        if (message === undefined) continue;
        if (snapshot !== undefined) {
          snapshot.push(message);
          continue;
        }
        const event = mirror.take(message);
        if (event) missed++;
        if (event) yield event;
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isReady || !reconnect) throw error;
      onDisconnect?.(error as Error);
      await sleep(backoff.next(), undefined, { signal });
    }
  }
}
