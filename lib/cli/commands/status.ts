/** `vminfo status`: the daemon's health, in a few lines for people; with `-f` in the platform's layout, which scripts rely on. */
import { diagnose } from '../../client/diagnose.js';
import { errorText, isUnhealthy, type Status } from '../../client/status.js';
import { spanText, agoText } from '../../vm/span.js';
import { sizeText } from '../../vm/units.js';
import { exit, type Context } from '../context.js';
import { printable, printableJson } from '../printable.js';

export interface StatusOptions {
  readonly json?: boolean;
  readonly full?: boolean;
}

export async function status(
  { client, write, paint }: Context,
  { json, full = false }: StatusOptions,
): Promise<number> {
  const answer = await client.status({ full });
  if (json) await write(`${printableJson(answer, 2)}\n`);
  else await write(full ? classicText(answer) : peopleText(answer, paint));
  return exit.ok;
}

function peopleText(answer: Status, paint: Context['paint']): string {
  const { state, status: doing, awaiting = [], uptime, lastRefresh, numVms, memory, queue } = answer;
  const open = queue.vasync_queue.npending + queue.vasync_queue.nqueued;
  const rescan =
    typeof lastRefresh === 'string' ? `last rescan ${agoText(milliseconds(lastRefresh))}` : 'no rescan yet';
  const pending = open === 0 ? 'nothing pending' : `${open} pending`;
  const troubles = diagnose(answer);
  const listeners = Object.values(answer.eventsListeners);
  const lines = [
    `${paint(state === 'running' ? 'green' : 'yellow', state)}${awaiting.length > 0 ? `, ${printable(doing)}` : ''}`,
    `up ${spanText(milliseconds(uptime))}, ${rescan}, ${pending}`,
    `${numVms} ${numVms === 1 ? 'VM' : 'VMs'}, ${sizeText(Math.round((memory['rss'] ?? 0) / 2 ** 20), 'MiB')} of memory, pid ${answer.pid}`,
    `${listeners.length} ${listeners.length === 1 ? 'listener' : 'listeners'} to events`,
    ...listeners.map(
      ({ userAgent, createdDate, createdAgo }) =>
        `  ${printable(userAgent ?? '-')}, since ${printable(spanOf(createdDate, answer.curDate) ?? createdAgo)}`,
    ),
    ...(troubles.length === 0
      ? []
      : [
          paint(
            'red',
            `${troubles.length} ${troubles.length === 1 ? 'trouble' : 'troubles'}; vminfo doctor says what to do:`,
          ),
          ...troubles.map(({ what }) => `  ${printable(what)}`),
        ]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Extracts the short form of a duration such as `15.506684706s (15.51s)`. */
function milliseconds(duration: string): number {
  return Number.parseFloat(duration) * 1000;
}

function spanOf(from: string | undefined, to: string): string | undefined {
  return from === undefined ? undefined : spanText(Date.parse(to) - Date.parse(from));
}

function classicText(answer: Status): string {
  const { paused, idle, vasync_queue: work } = answer.queue;
  const listeners = Object.entries(answer.eventsListeners);
  const lines = [
    `state: ${answer.state} (${answer.status})`,
    `pid: ${answer.pid}`,
    `uptime: ${answer.uptime}`,
    `rss: ${((answer.memory['rss'] ?? 0) / 1024 / 1024).toFixed(2)}mb`,
    `numVms: ${answer.numVms}`,
    'queue',
    `  paused: ${paused}`,
    `  idle: ${idle}`,
    `  npending: ${work.npending}`,
    `  nqueued: ${work.nqueued}`,
    'fullRefresh',
    `  lastRefresh: ${answer.lastRefresh ?? '-'}`,
    `  refreshErrors: (${answer.refreshErrors.length} items)`,
    ...answer.refreshErrors.map(({ err, ago }) => `    - ${errorText(err)} (${ago})`),
    `eventsListeners: (${listeners.length} listeners)`,
    ...listeners.flatMap(([uuid, { userAgent, createdAgo }]) => [
      `  - ${userAgent ?? '-'}`,
      `    ${uuid} created ${createdAgo} ago`,
    ]),
    ...troubles(answer),
    ...fullLines(answer),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** Empty while all is well. */
function troubles({ awaiting = [], sources = [], loadErrors = [] }: Status): string[] {
  const unhealthy = sources.filter(isUnhealthy);
  return [
    ...section('awaiting', awaiting, (what) => what),
    ...section('unhealthySources', unhealthy, ({ name, state, since, lastError }) => {
      return `${name}: ${state} since ${since}${lastError ? ` (${lastError.message})` : ''}`;
    }),
    ...section('loadErrors', loadErrors, ({ zone, input, error }) => `${zone}: ${input}: ${error}`),
  ];
}

function section<T>(name: string, items: readonly T[], text: (item: T) => string): string[] {
  return items.length === 0
    ? []
    : [`${name}: (${items.length} items)`, ...items.map((item) => `  - ${text(item)}`)];
}

function fullLines({ refreshLog = [], fswatcher }: Status): string[] {
  return [
    `refreshLog: (${refreshLog.length} items)`,
    'fswatcher',
    `  running: ${fswatcher?.running ?? false}`,
    `  watching: (${fswatcher?.watching.length ?? 0} items)`,
    `  not_yet_watching: (${fswatcher?.not_yet_watching.length ?? 0} items)`,
    `  pending_actions: (${Object.keys(fswatcher?.pending_actions ?? {}).length} items)`,
  ];
}
