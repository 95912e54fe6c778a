/**
 * Past changes, from the messages that the stream still has: of each VM the last nine. Reads backwards in growing steps,
 * so that the latest changes of a large fleet are found without reading all of it.
 */
import type { ChangesOptions } from '../client/client.js';
import { fleet as limits, pastEventLimits } from '../config.js';
import { diff } from '../vm/diff.js';
import type { PastEvent, PastEvents } from '../vm/past-events.js';
import { parsePaths, touches } from '../vm/touches.js';
import type { Nats } from './connection.js';
import { consume } from './consume.js';
import { asFleetError } from './errors.js';
import { decodeMessage, type StoredMessage } from './message.js';
import { vmStream, vmSubject, vmSubjects } from './names.js';

/** As VminfodClient's `changes`; `seq` is the stream's, and `complete` is only known of one VM. */
export async function pastChanges(
  nats: Nats,
  {
    zonename,
    paths = [],
    types = [],
    limit = pastEventLimits.defaultLimit,
    before = Infinity,
    vm = false,
  }: ChangesOptions,
  signal: AbortSignal,
): Promise<PastEvents> {
  const { state, created } = await nats.manager.streams.info(vmStream).catch((error: unknown) => {
    throw asFleetError(error, vmStream);
  });
  const wanted = paths.length === 0 ? undefined : parsePaths(paths.join(','));
  const isAsked = (event: PastEvent) =>
    event.seq < before &&
    (types.length === 0 || types.includes(event.type)) &&
    (wanted === undefined ||
      (event.type === 'modify' && event.changes.some(({ path }) => touches(wanted, path))));
  const filter = vmSubjects(zonename === undefined ? {} : { zonename });
  const end = Math.min(state.last_seq, before - 1);
  for (let step = limits.pastStep; ; step *= 4) {
    const isAll = zonename !== undefined || end - step <= state.first_seq;
    const from = isAll ? Math.max(1, state.first_seq) : end - step;
    const messages = await read(nats, filter, from, end, signal);
    const events = eventsOf(messages, vm);
    const found = events.filter(isAsked).reverse();
    if (found.length < limit && !isAll) continue;
    const shown = found.slice(0, limit);
    const [oldest] = events;
    return {
      instance: created,
      seq: state.last_seq,
      oldest: oldest === undefined ? null : { seq: oldest.seq, date: oldest.date },
      complete: zonename !== undefined && messages[0]?.after === 0,
      next: found.length > shown.length ? (shown.at(-1)?.seq ?? null) : null,
      events: shown,
    };
  }
}

async function read(
  nats: Nats,
  filter: string,
  from: number,
  end: number,
  signal: AbortSignal,
): Promise<readonly StoredMessage[]> {
  const messages: StoredMessage[] = [];
  for await (const raw of consume(nats, vmStream, { filter, from, signal })) {
    if (raw === 'abreast' || raw.revision > end) break;
    const message = decodeMessage(raw);
    if (message) messages.push(message);
  }
  return messages;
}

function eventsOf(messages: readonly StoredMessage[], withVm: boolean): readonly PastEvent[] {
  const last = new Map<string, StoredMessage>();
  return messages.flatMap((message): PastEvent[] => {
    const { key, at: date, revision: seq, vm } = message;
    const subject = vmSubject(key);
    const previous = last.get(subject);
    last.set(subject, message);
    const { uuid = key.zonename, alias } = vm ?? previous?.vm ?? {};
    const place = { datacenter: key.datacenter, server_uuid: key.server };
    const common = {
      ...{ date, zonename: key.zonename, uuid, seq, ...place },
      ...(alias !== undefined && { alias }),
      ...(withVm && vm !== undefined && { vm }),
    };
    if (message.type !== 'modify') return [{ type: message.type, ...common }];
    // A message that would have been too large is without its changes.
    const changes = message.changes ?? (previous?.vm && vm ? diff(previous.vm, vm) : []);
    return changes.length === 0 ? [] : [{ type: 'modify', ...common, changes }];
  });
}
