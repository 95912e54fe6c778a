/** `vminfo history`: recent events, as far back as the daemon still has them. */
import type { VmClient } from '../../client/client.js';
import { pastEventLimits as limits } from '../../config.js';
import type { VmEvent } from '../../vm/event.js';
import type { Happening } from '../../vm/describe.js';
import { describePastEvent, type PastEvent, type PastEvents } from '../../vm/past-events.js';
import { maskChange } from '../../vm/secrets.js';
import { exit, type Context, type Style } from '../context.js';
import { isUuid, zonenameOf } from '../name-vm.js';
import { pastEvents } from '../past-events.js';
import { printable, printableJson } from '../printable.js';

export interface HistoryOptions {
  readonly json?: boolean;
  readonly full?: boolean;
  /** How many events. */
  readonly number: number;
  readonly type?: readonly VmEvent['type'][];
  readonly path?: readonly string[];
  /** `-v`: also changes that merely follow from others. */
  readonly verbose?: boolean;
  readonly showSecrets?: boolean;
}

export async function history(
  context: Context,
  name: string | undefined,
  options: HistoryOptions,
): Promise<number> {
  const { client, write, warn, signal } = context;
  // A UUID may belong to a deleted VM, which still has a history.
  const zonename = name === undefined || isUuid(name) ? name : await zonenameOf(client, name, { signal });
  const { events, answer } = await read(client, zonename, options, signal);
  if (events.length < options.number && !answer.complete) {
    warn(`what happened before ${answer.oldest?.date ?? 'now'} is no longer kept`);
  }
  // In the order of `vminfo events`: newest last.
  for (const event of events.toReversed()) {
    await write(options.json ? jsonLine(event, options) : lines(event, context, options));
  }
  return exit.ok;
}

/** One line for each thing that happened: `2026-11-27T12:03:11.201Z c4103a37 web1  quota 10 -> 20 GiB`. */
function lines(event: PastEvent, { paint }: Context, options: HistoryOptions): string {
  const { full = false, verbose = false, showSecrets = false } = options;
  const { date, uuid, alias = '-' } = event;
  const name = `${printable(full ? uuid : uuid.slice(0, 8))} ${printable(alias === '' ? '-' : alias)}`;
  return describePastEvent(event, { all: verbose, showSecrets })
    .map(({ text, kind }) => {
      const style = styles[kind];
      const what = printable(text);
      return `${printable(date)} ${name}  ${style === undefined ? what : paint(style, what)}\n`;
    })
    .join('');
}

const styles: Readonly<Record<Happening['kind'], Style | undefined>> = {
  created: 'green',
  started: 'green',
  stopped: 'yellow',
  failed: 'red',
  deleted: 'red',
  changed: undefined,
};

function jsonLine(event: PastEvent, { showSecrets = false }: HistoryOptions): string {
  const masked =
    showSecrets || event.type !== 'modify' ? event : { ...event, changes: event.changes.map(maskChange) };
  return `${printableJson(masked)}\n`;
}

/** The latest events, newest first, and the last answer. */
async function read(
  client: VmClient,
  zonename: string | undefined,
  { number, type, path }: HistoryOptions,
  signal: AbortSignal,
): Promise<{ readonly events: readonly PastEvent[]; readonly answer: PastEvents }> {
  const events: PastEvent[] = [];
  let before: number | undefined;
  for (;;) {
    const answer = await pastEvents(client, {
      ...(zonename !== undefined && { zonename }),
      ...(type !== undefined && { types: type }),
      ...(path !== undefined && { paths: path }),
      ...(before !== undefined && { before }),
      limit: Math.min(number - events.length, limits.maxLimit),
      signal,
    });
    events.push(...answer.events);
    if (answer.next === null || events.length >= number) return { events, answer };
    before = answer.next;
  }
}
