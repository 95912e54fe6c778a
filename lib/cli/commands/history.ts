/** `vminfo history`: what happened lately, as far as the daemon still has it. */
import type { VminfodClient } from '../../client/client.js';
import { NotFoundError } from '../../client/errors.js';
import { pastEvents as limits } from '../../config.js';
import type { VmEvent } from '../../vm/event.js';
import type { PastEvent, PastEvents } from '../../vm/past-events.js';
import { CommandError, exit, type Context } from '../context.js';
import { printable, printableJson } from '../printable.js';
import { eventLines } from './events.js';

export interface HistoryOptions {
  readonly json?: boolean;
  readonly full?: boolean;
  /** How many events. */
  readonly number: number;
  readonly type?: readonly VmEvent['type'][];
  readonly path?: readonly string[];
}

export async function history(
  context: Context,
  zonename: string | undefined,
  options: HistoryOptions,
): Promise<number> {
  const { client, write, warn, signal } = context;
  const { events, answer } = await read(client, zonename, options, signal);
  if (events.length < options.number && !answer.complete) {
    warn(`what happened before ${answer.oldest?.date ?? 'now'} is no longer kept`);
  }
  // As `events` goes on: the newest last.
  for (const event of events.toReversed()) {
    await write(
      options.json
        ? `${printableJson(event)}\n`
        : eventLines(event, event.alias, context, `[${printable(event.date)}]`, options.full),
    );
  }
  return exit.ok;
}

/** The last events, the newest first, and the last answer. */
async function read(
  client: VminfodClient,
  zonename: string | undefined,
  { number, type, path }: HistoryOptions,
  signal: AbortSignal,
): Promise<{ readonly events: readonly PastEvent[]; readonly answer: PastEvents }> {
  const events: PastEvent[] = [];
  let before: number | undefined;
  for (;;) {
    const answer = await client
      .changes({
        ...(zonename !== undefined && { zonename }),
        ...(type !== undefined && { types: type }),
        ...(path !== undefined && { paths: path }),
        ...(before !== undefined && { before }),
        limit: Math.min(number - events.length, limits.maxLimit),
        signal,
      })
      .catch((cause: unknown) => {
        if (!(cause instanceof NotFoundError)) throw cause;
        throw new CommandError(`vminfod at ${client.url} does not keep what happened`, { cause });
      });
    events.push(...answer.events);
    if (answer.next === null || events.length >= number) return { events, answer };
    before = answer.next;
  }
}
