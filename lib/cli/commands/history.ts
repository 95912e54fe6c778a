/** `vminfo history`: recent events, as far back as the daemon still has them. */
import { pastEventLimits as limits } from '../../config.js';
import type { VmEvent } from '../../vm/event.js';
import type { Happening } from '../../vm/describe.js';
import { describePastEvent, type PastEvent } from '../../vm/past-events.js';
import { maskChange } from '../../vm/secrets.js';
import { exit, type Context, type Style } from '../context.js';
import { isUuid, zonenameOf } from '../name-vm.js';
import { pastAnswers } from '../past-events.js';
import { printable, printableJson } from '../printable.js';
import { before, warnIfForgotten, type Since } from '../since.js';

export interface HistoryOptions {
  readonly json?: boolean;
  readonly full?: boolean;
  /** How many events. Default: 100, and all since `since`. */
  readonly number?: number;
  /** Only what happened since. */
  readonly since?: Since;
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
  const { client, write, signal } = context;
  // A UUID may belong to a deleted VM, which still has a history.
  const zonename = name === undefined || isUuid(name) ? name : await zonenameOf(client, name, { signal });
  const events = await read(context, zonename, options);
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

/** The latest events of which there is something to tell, newest first. What is no longer kept is said on stderr. */
async function read(
  { client, isFleet, warn, signal }: Context,
  zonename: string | undefined,
  { number, since, type, path, json = false, verbose = false }: HistoryOptions,
): Promise<readonly PastEvent[]> {
  const wanted = number ?? (since ? Infinity : 100);
  const isBefore = since ? before(since) : () => false;
  const isTold = (event: PastEvent) => json || describePastEvent(event, { all: verbose }).length > 0;
  const events: PastEvent[] = [];
  const asked = {
    ...(zonename !== undefined && { zonename }),
    ...(type !== undefined && { types: type }),
    ...(path !== undefined && { paths: path }),
    limit: Math.min(wanted, limits.maxLimit),
    signal,
  };
  for await (const answer of pastAnswers(client, asked)) {
    for (const event of answer.events) {
      if (events.length >= wanted || isBefore(event, answer)) return events;
      if (isTold(event)) events.push(event);
    }
    if (answer.next !== null || events.length >= wanted) continue;
    if (!isFleet) warnIfForgotten(warn, answer, since ?? { ageMs: Infinity });
    else if (!answer.complete) warn('of each VM only its last changes are kept');
  }
  return events;
}
