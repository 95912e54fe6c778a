/** `--since`: the time or event from which to report. */
import { pastEventLimits as limits } from '../config.js';
import type { PastEvent, PastEvents } from '../vm/past-events.js';
import type { Context } from './context.js';
import { pastAnswers } from './past-events.js';

/** An age, or a position in the events of one run of the daemon. */
export type Since = { readonly ageMs: number } | { readonly instance: string; readonly seq: number };

/** `90s`, `30m`, `2h`, `1d`, or `<instance>:<seq>`; undefined when it is none of these. */
export function parseSince(text: string): Since | undefined {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  const ageMs = Number(digits) * (msIn[unit] ?? 0);
  if (ageMs > 0) return { ageMs };
  const [, instance = '', seq = ''] = /^([\w-]{1,64}):(\d{1,15})$/.exec(text) ?? [];
  return seq === '' ? undefined : { instance, seq: Number(seq) };
}

const msIn: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

export interface Beginning {
  /** `<instance>:<seq>`: after this event. */
  readonly since: string;
  /** Past events whose VM has an alias, newest last: a delete event does not name the VM. */
  readonly named: readonly PastEvent[];
}

/** Where to begin. If the daemon no longer has all of it, stderr says so. */
export async function beginning({ client, warn, signal }: Context, since: Since): Promise<Beginning> {
  const isBefore = before(since);
  const named: PastEvent[] = [];
  let first = '';
  for await (const answer of pastAnswers(client, { limit: limits.maxLimit, signal })) {
    const { instance, oldest, next, seq } = answer;
    const last = answer.events.find((event) => isBefore(event, answer));
    named.unshift(...answer.events.toReversed());
    if (last !== undefined) return { since: `${instance}:${last.seq}`, named };
    first = `${instance}:${oldest === null ? seq : oldest.seq - 1}`;
    if (next === null) warnIfForgotten(warn, answer, since);
  }
  return { since: first, named };
}

/** Whether an event, of an answer, happened before. */
export function before(since: Since): (event: PastEvent, answer: PastEvents) => boolean {
  if ('seq' in since) return ({ seq }, { instance }) => instance === since.instance && seq <= since.seq;
  const from = Date.now() - since.ageMs;
  return ({ date }) => Date.parse(date) < from;
}

/** Says on stderr what the daemon no longer has, given its last answer. */
export function warnIfForgotten(
  warn: Context['warn'],
  { instance, oldest, complete, seq }: PastEvents,
  since: Since,
): void {
  const first = oldest === null ? seq : oldest.seq - 1;
  if ('instance' in since && since.instance !== instance)
    warn('vminfod has been restarted since then, and does not know what happened before');
  else if (!complete && !('seq' in since && since.seq >= first))
    warn(`what happened before ${oldest?.date ?? 'now'} is no longer kept`);
}
