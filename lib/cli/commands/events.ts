/** `vminfo events`: prints changes as they happen. */
import type { StreamEvent } from '../../client/events.js';
import { describeEvent } from '../../vm/describe.js';
import type { VmEvent } from '../../vm/event.js';
import { parseConditions, parseEntry } from '../../vm/filter.js';
import { maskEvent, maskVm } from '../../vm/secrets.js';
import { parsePaths, touches } from '../../vm/touches.js';
import { CliError, exit, type Context } from '../context.js';
import { classicLines, peopleLines } from '../event-lines.js';
import { getVm, isUuid, namesAndConditions, zonenameOf } from '../name-vm.js';
import { printable, printableJson } from '../printable.js';
import { beginning, type Since } from '../since.js';

export interface EventsFlags {
  readonly json?: boolean;
  readonly full?: boolean;
  readonly ready?: boolean;
  /** `-1`: end when the daemon goes away. */
  readonly once?: boolean;
  readonly type?: readonly string[];
  /** Modifications only if they touch one of these. */
  readonly path?: string;
  /** `-v`: also changes that merely follow from others. */
  readonly verbose?: boolean;
  /** The platform's lines. */
  readonly classic?: boolean;
  readonly showSecrets?: boolean;
  /** Prints a summary at the end. */
  readonly summary?: boolean;
  /** Begins with past events. */
  readonly since?: Since;
}

export async function events(
  context: Context,
  args: readonly string[],
  options: EventsFlags,
): Promise<number> {
  const { client, write, warn } = context;
  const { names, conditions } = namesAndConditions(args);
  const [name, ...others] = names;
  if (others.length > 0) throw new CliError('vminfo: events follows one VM, or those that match filters');
  parseConditions(conditions); // Report wrong conditions before any request is made.
  const paths = options.path === undefined ? undefined : parsePaths(options.path);
  const stop = options.summary ? interrupted(context.signal) : context.signal;
  // A wrong address or name is an error, not something to wait for.
  const zonename = name === undefined ? undefined : await existing(context, name);
  if (name === undefined)
    await (context.isFleet ? client.ping({ signal: stop }) : client.status({ signal: stop }));

  const told = new Tally();
  const aliases = new Map<string, string>();
  const past = options.since && (await beginning(context, options.since));
  for (const vm of past?.named ?? []) remember(aliases, vm);
  const stream = client.events({
    ...(zonename !== undefined && { zonename }),
    query: toQuery(conditions),
    ...(past && { since: past.since }),
    reconnect: !options.once,
    onDisconnect: (error) => {
      warn(`lost, reconnecting: ${error.message}`);
    },
    onReconnect: (missed) => {
      warn(
        missed === 0
          ? 'resumed, and nothing was missed'
          : `resumed, with the ${missed === 1 ? 'one event' : `${missed} events`} missed meanwhile`,
      );
    },
    signal: stop,
  });
  try {
    for await (const event of stream) {
      if (event.type === 'ready') {
        for (const vm of event.vms) remember(aliases, vm);
        if (options.ready) await write(options.json ? readyJson(event, options) : readyLine(event, options));
        continue;
      }
      const alias = event.type === 'delete' ? aliases.get(event.zonename) : event.vm.alias;
      if (event.type !== 'delete') remember(aliases, event.vm);
      if (!isAsked(event, options.type, paths)) continue;
      told.add(event);
      await write(textOf(event, alias, context, { ...options, width: widthOf(aliases) }));
    }
  } catch (error) {
    if (!options.summary || !stop.aborted || context.signal.aborted) throw error;
  }
  if (options.summary) await write(`\n${told.text()}\n`);
  return exit.ok;
}

/** The zonename of an existing VM. If its zone could not be read, the daemon says why. */
async function existing({ client, signal }: Context, name: string): Promise<string> {
  return isUuid(name)
    ? (await getVm(client, name, { signal })).zonename
    : zonenameOf(client, name, { signal });
}

/** Conditions as the daemon takes them. If a key occurs twice, the whole condition is passed as a key. */
export function toQuery(conditions: readonly string[]): Record<string, string> {
  const query: Record<string, string> = {};
  for (const condition of conditions) {
    const [key, value] = parseEntry(condition);
    if (key in query) query[condition] = '';
    else query[key] = value;
  }
  return query;
}

function isAsked(
  event: VmEvent,
  types: readonly string[] | undefined,
  paths: ReturnType<typeof parsePaths> | undefined,
): boolean {
  if (types && !types.includes(event.type)) return false;
  if (!paths || event.type !== 'modify') return true;
  return event.changes.some(({ path }) => touches(paths, path));
}

function textOf(
  event: VmEvent,
  alias: string | undefined,
  { paint }: Context,
  {
    json,
    classic,
    full = false,
    verbose = false,
    showSecrets = false,
    width,
  }: EventsFlags & { width: number },
): string {
  if (json || classic) {
    const shown = showSecrets ? event : maskEvent(event);
    return json ? `${printableJson(shown)}\n` : classicLines(shown, { paint, full, alias });
  }
  return peopleLines(event, { paint, full, alias, all: verbose, showSecrets, width });
}

type Ready = Extract<StreamEvent, { type: 'ready' }>;

/** As on the wire: there the VMs of a `ready` are a string. */
function readyJson(event: Ready, { showSecrets }: EventsFlags): string {
  const vms = showSecrets ? event.vms : event.vms.map(maskVm);
  return `${printableJson({ ...event, vms: JSON.stringify(vms) })}\n`;
}

function readyLine(event: Ready, { full }: EventsFlags): string {
  return `[${printable(full ? event.date : event.date.slice(event.date.indexOf('T') + 1))}] ready\n`;
}

function remember(aliases: Map<string, string>, vm: { zonename: string; alias?: string }): void {
  if (vm.alias !== undefined && vm.alias !== '') aliases.set(vm.zonename, vm.alias);
}

/** The column of names is as wide as the longest one, within reason. */
function widthOf(aliases: ReadonlyMap<string, string>): number {
  let width = 0;
  for (const alias of aliases.values()) if (alias.length <= 16) width = Math.max(width, alias.length);
  return width;
}

/** What happened, counted. */
class Tally {
  readonly #kinds = new Map<string, number>();
  readonly #vms = new Set<string>();
  readonly #since = performance.now();

  add(event: VmEvent): void {
    this.#vms.add(event.zonename);
    for (const { kind } of describeEvent(event)) this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + 1);
  }

  text(): string {
    const seconds = Math.round((performance.now() - this.#since) / 1000);
    const kinds = [...this.#kinds].map(([kind, count]) => `${count} ${kind}`);
    const vms = this.#vms.size;
    return `In ${seconds} s, of ${vms} ${vms === 1 ? 'VM' : 'VMs'}: ${kinds.join(', ') || 'nothing happened'}.`;
  }
}

/** A signal that also aborts on Ctrl-C, for a command that prints something at its end. */
function interrupted(signal: AbortSignal): AbortSignal {
  const enough = new AbortController();
  // `on`, not `once`: under npm the signal arrives twice, from the terminal and from npm.
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      enough.abort();
    });
  }
  return AbortSignal.any([signal, enough.signal]);
}
