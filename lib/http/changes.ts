/** The answer to `/changes`: the events still in the log, newest first. */
import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { VmCache } from '../cache/cache.js';
import type { Commit } from '../cache/vm-store.js';
import { pastEventLimits as limits } from '../config.js';
import type { PastEvent, PastEvents } from '../vm/past-events.js';
import { touches } from '../vm/touches.js';
import { parseChangesParameters, type ChangesParameters } from './parameters.js';
import { replyJson } from './reply.js';

/**
 * Answers a request for past events.
 *
 * @throws QueryError, synchronously, for invalid parameters.
 */
export function replyChanges(
  cache: Pick<VmCache, 'instance' | 'eventLog'>,
  response: ServerResponse,
  query: string,
): Promise<void> {
  return reply(cache, response, parseChangesParameters(query));
}

async function reply(
  { instance, eventLog }: Pick<VmCache, 'instance' | 'eventLog'>,
  response: ServerResponse,
  parameters: ChangesParameters,
): Promise<void> {
  const { seq, oldest } = eventLog;
  const kept = oldest === undefined ? [] : (eventLog.after(oldest.seq - 1) ?? []);
  const found = kept.filter((commit) => isAsked(commit, parameters)).reverse();
  const shown = found.slice(0, parameters.limit);
  const events: PastEvent[] = [];
  for (const [index, commit] of shown.entries()) {
    // The log keeps VMs as bytes: each is parsed.
    if (index % limits.perTurn === limits.perTurn - 1) await setImmediate();
    events.push(pastEvent(commit, parameters.vm));
  }
  const answer: PastEvents = {
    instance,
    seq,
    oldest: oldest === undefined ? null : { seq: oldest.seq, date: oldest.event.date },
    complete: oldest === undefined ? seq === 0 : oldest.seq === 1,
    next: found.length > shown.length ? (shown.at(-1)?.seq ?? null) : null,
    events,
  };
  replyJson(response, answer);
}

function isAsked({ seq, event }: Commit, { zonename, types, paths, before }: ChangesParameters): boolean {
  if (seq >= before || (zonename !== undefined && event.zonename !== zonename)) return false;
  if (types.length > 0 && !types.includes(event.type)) return false;
  return (
    paths.length === 0 || (event.type === 'modify' && event.changes.some(({ path }) => touches(paths, path)))
  );
}

function pastEvent({ seq, event, stored, previous }: Commit, withVm: boolean): PastEvent {
  const vm = stored?.vm;
  const alias = (vm ?? previous?.vm)?.alias;
  return {
    ...event,
    seq,
    ...(alias !== undefined && { alias }),
    ...(withVm && vm !== undefined && { vm }),
  };
}
