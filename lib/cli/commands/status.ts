/** `vminfo status`: how the daemon is, in the layout that operators' eyes and scripts know. */
import { errorText, isUnhealthy, type Status } from '../../client/status.js';
import { exit, type Context } from '../context.js';
import { printable, printableJson } from '../printable.js';

export interface StatusOptions {
  readonly json?: boolean;
  readonly full?: boolean;
}

export async function status(
  { client, write }: Context,
  { json, full = false }: StatusOptions,
): Promise<number> {
  const answer = await client.status({ full });
  await write(json ? `${printableJson(answer, 2)}\n` : statusText(answer, full));
  return exit.ok;
}

function statusText(answer: Status, full: boolean): string {
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
    ...(full ? fullLines(answer) : []),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** Nothing while all is well. */
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
