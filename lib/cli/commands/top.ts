/** `vminfo top`: the VMs and their changes, full-screen; or one frame of it. */
import { hostname } from 'node:os';
import { filter as filterEvents, from, Subject } from 'rxjs';
import { NotFoundError, VminfodError } from '../../client/errors.js';
import { top as limits } from '../../config.js';
import type { PastEvent } from '../../vm/past-events.js';
import type { UsageReport } from '../../vm/usage.js';
import { vmKey } from '../../vm/vm-key.js';
import type { VmObject } from '../../vm/vm-object.js';
import { QueryError } from '../../vm/selector.js';
import { CliError, exit, type Context } from '../context.js';
import type { ColumnName } from '../top/column-names.js';
import { draw } from '../top/draw.js';
import { tableRows } from '../top/layout.js';
import type { ConnectionAction } from '../top/live.js';
import { initialModel, type TopModel, type Size } from '../top/model.js';
import { rowFilter } from '../top/row-filter.js';
import { update, withHistory } from '../top/update.js';

export interface TopOptions {
  readonly once?: boolean;
  readonly sort?: ColumnName;
  readonly reverse?: boolean;
}

export async function top(
  context: Context,
  filters: readonly string[],
  options: TopOptions,
): Promise<number> {
  const filter = rowFilter(filters.join(' '));
  if (filter.problem !== undefined) throw new QueryError(filter.problem, filters);
  const sort = { column: options.sort ?? 'alias', descending: options.reverse ?? false };
  const begin = (vms: ReadonlyMap<string, VmObject>, size: Size, past: readonly PastEvent[]): TopModel => {
    const model = initialModel({ now: Date.now(), size, host: hostOf(context.client.url), vms });
    return withHistory({ ...model, sort, filter }, past);
  };
  return options.once ? printFrame(context, begin) : show(context, begin);
}

type Begin = (vms: ReadonlyMap<string, VmObject>, size: Size, past: readonly PastEvent[]) => TopModel;

/** Recent events, newest first; empty for a daemon that does not keep them. */
async function lately({ client, signal }: Context): Promise<readonly PastEvent[]> {
  try {
    return (await client.changes({ limit: limits.maxEntries, signal })).events;
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return [];
  }
}

/** The size of the terminal or, without one, large enough for all VMs. */
async function printFrame(context: Context, begin: Begin): Promise<number> {
  const { client, stdout, write, paint, signal } = context;
  const vms = new Map((await client.vms({}, { signal })).map((vm) => [vmKey(vm), vm]));
  const { columns = 80, rows = rowsFor(vms.size) } = stdout as Partial<NodeJS.WriteStream>;
  const status = await client.status({ signal });
  const { vms: usage } = await client.usage({ signal }).catch(unknownUsage);
  const now = Date.now();
  const first = begin(vms, { columns, rows }, await lately(context));
  const model = update(update(first, { type: 'status', answer: status }, now), { type: 'usage', usage }, now);
  await write(`${draw(model, paint).join('\n')}\n`);
  return exit.ok;
}

/** An older daemon, or a zfs that cannot be asked, leaves only this column empty. */
function unknownUsage(error: unknown): Pick<UsageReport, 'vms'> {
  if (!(error instanceof VminfodError)) throw error;
  return { vms: {} };
}

function rowsFor(vms: number): number {
  let rows = 24;
  while (tableRows({ columns: 80, rows }) < vms) rows += 1;
  return rows;
}

async function show(context: Context, begin: Begin): Promise<number> {
  const { client, signal } = context;
  const { stdin, stdout } = process;
  // If stdout is not the process's own, there is no terminal for us.
  if (context.stdout !== stdout || !stdout.isTTY || !stdin.isTTY) {
    throw new CliError('vminfo: top needs a terminal; vminfo top -1 prints one frame without one');
  }
  // React is fast only in production mode, and Ink draws nothing if it detects a CI; but here there is a terminal.
  process.env['NODE_ENV'] = 'production';
  process.env['CI'] = 'false';
  const { live, sizeOf } = await import('../top/live.js');

  await client.status({ signal }); // A wrong address is an error, not something to wait for.
  const connections = new Subject<ConnectionAction>();
  const watcher = await client.watch({
    signal,
    onDisconnect: (error) => {
      connections.next({ type: 'lost', note: error.message });
    },
    onReconnect: (missed) => {
      const caughtUp = missed === 1 ? '1 change' : `${missed} changes`;
      connections.next({ type: 'connected', note: `connected again, caught up with ${caughtUp}` });
    },
  });
  try {
    const changes = from(watcher.changes());
    const past = await lately(context);
    // Events from meanwhile arrive from both.
    const told = new Set(past.map(({ seq, date }) => `${seq} ${date}`));
    const fresh = changes.pipe(filterEvents(({ seq, date }) => !told.has(`${seq} ${date}`)));
    const first = begin(new Map(watcher.vms), sizeOf(stdout), past);
    return await live(context, { stdin, stdout }, first, fresh, connections);
  } finally {
    await watcher.close();
  }
}

/** The machine's name for a daemon on this machine, the default; otherwise the host name in the URL. */
function hostOf(url: string): string {
  if (url.startsWith('unix:')) return hostname();
  const { host, hostname: name } = new URL(url);
  return name === 'localhost' || name === '127.0.0.1' || name === '[::1]' ? hostname() : host;
}
