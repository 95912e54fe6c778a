/** `vminfo events`: what happens, as it happens. */
import type { Change } from '../../vm/diff.js';
import type { StreamEvent } from '../../client/events.js';
import type { VmEvent } from '../../vm/event.js';
import { exit, type Context } from '../context.js';
import { printable, printableJson } from '../printable.js';

export interface EventsOptions {
  readonly json?: boolean;
  readonly full?: boolean;
  readonly ready?: boolean;
  /** `-1`: end when the daemon goes away. */
  readonly once?: boolean;
  readonly type?: readonly string[];
}

export async function events(
  context: Context,
  zonename: string | undefined,
  options: EventsOptions,
): Promise<number> {
  const { client, write, warn, signal } = context;
  // A wrong address is an error, not something to wait for.
  await (context.isFleet ? client.ping({ signal }) : client.status({ signal }));
  const stream = client.events({
    ...(zonename !== undefined && { zonename }),
    reconnect: !options.once,
    onDisconnect: (error) => {
      warn(`lost, reconnecting: ${error.message}`);
    },
    onReconnect: (missed) => {
      warn(
        `resumed, ${missed === 0 ? 'and nothing was missed' : `with the ${missed} events missed meanwhile`}`,
      );
    },
    signal,
  });
  for await (const event of stream) {
    if (event.type === 'ready' ? !options.ready : options.type && !options.type.includes(event.type))
      continue;
    await write(options.json ? jsonLine(event) : textLines(event, context, options.full ?? false));
  }
  return exit.ok;
}

/** As on the wire: there the VMs of a `ready` are a string. */
function jsonLine(event: StreamEvent): string {
  return `${printableJson(event.type === 'ready' ? { ...event, vms: JSON.stringify(event.vms) } : event)}\n`;
}

function textLines(event: StreamEvent, { paint }: Context, full: boolean): string {
  const date = `[${printable(full ? event.date : event.date.slice(event.date.indexOf('T') + 1))}]`;
  if (event.type === 'ready') return `${date} ready\n`;
  const head = `${date} ${printable(full ? event.uuid : event.uuid.slice(0, 8))} ${aliasOf(event)} `;
  if (event.type !== 'modify')
    return `${head}${paint(event.type === 'create' ? 'green' : 'red', event.type)}\n`;
  return event.changes.map((change) => `${head}${paint('cyan', 'modify')}: ${changeText(change)}\n`).join('');
}

function aliasOf(event: VmEvent): string {
  const alias = event.vm?.alias;
  const text = typeof alias === 'string' && alias !== '' ? alias : '-';
  return printable(text.length > 30 ? `${text.slice(0, 27)}...` : text);
}

/** `quota changed :: 10 -> 20`: values as JSON, an absent one as `undefined`. */
export function changeText({ prettyPath, action, oldValue, newValue }: Change): string {
  return `${printable(prettyPath)} ${action} :: ${valueText(oldValue)} -> ${valueText(newValue)}`;
}

function valueText(value: unknown): string {
  return value === undefined ? 'undefined' : printableJson(value);
}
