/** Events as lines: for people, and as the platform's vminfo prints them. Pure except for the time zone. */
import { describeEvent, type Happening } from '../vm/describe.js';
import type { Change } from '../vm/diff.js';
import type { VmEvent } from '../vm/event.js';
import type { Context, Style } from './context.js';
import { printable, printableJson } from './printable.js';

export interface LineOptions {
  readonly paint: Context['paint'];
  /** The VM's name, which a `delete` does not have. */
  readonly alias: string | undefined;
  /** Full dates and UUIDs. */
  readonly full: boolean;
}

export interface PeopleOptions extends LineOptions {
  /** Also changes that merely follow from others. */
  readonly all: boolean;
  readonly showSecrets: boolean;
  /** The minimum width of the VM's name. */
  readonly width?: number;
}

/** `12:03:11 web1 stopped (exit 0)`: one line for each thing that happened; possibly none. */
export function peopleLines(event: VmEvent, options: PeopleOptions): string {
  const { paint, full, alias, all, showSecrets, width = 0 } = options;
  const time = full ? event.date : timeOfDay(event.date);
  const called = nameText(alias, full ? event.uuid : event.uuid.slice(0, 8));
  const name = full && called !== event.uuid ? `${event.uuid} ${called}` : called;
  return describeEvent(event, { all, showSecrets })
    .map(({ text, kind, follows }) => {
      const shown = printable(text);
      const told = follows ? paint('dim', shown) : styles[kind] ? paint(styles[kind], shown) : shown;
      return `${paint('dim', printable(time))} ${paint('bold', name.padEnd(width))} ${told}\n`;
    })
    .join('');
}

/** A VM's name on a line, cut to 30 characters. */
export function nameText(alias: unknown, otherwise: string): string {
  const text = typeof alias === 'string' && alias !== '' ? alias : otherwise;
  return printable(text.length > 36 ? `${text.slice(0, 27)}...` : text);
}

/** The platform's lines: `[17:20:09.634Z] c4103a37 foo modify: quota changed :: 10 -> 20`. */
export function classicLines(event: VmEvent, { paint, full, alias }: LineOptions): string {
  const date = `[${printable(full ? event.date : event.date.slice(event.date.indexOf('T') + 1))}]`;
  const head = `${date} ${printable(full ? event.uuid : event.uuid.slice(0, 8))} ${classicName(alias)} `;
  if (event.type !== 'modify')
    return `${head}${paint(event.type === 'create' ? 'green' : 'red', event.type)}\n`;
  return event.changes
    .map((change) => `${head}${paint('cyan', 'modify')}: ${classicChange(change)}\n`)
    .join('');
}

/** `quota changed :: 10 -> 20`: values as JSON, absent ones as `undefined`. */
export function classicChange({ prettyPath, action, oldValue, newValue }: Change): string {
  return `${printable(prettyPath)} ${action} :: ${valueText(oldValue)} -> ${valueText(newValue)}`;
}

const styles: Readonly<Partial<Record<Happening['kind'], Style>>> = {
  created: 'cyan',
  deleted: 'red',
  started: 'green',
  stopped: 'yellow',
  failed: 'red',
};

function classicName(alias: unknown): string {
  const text = typeof alias === 'string' && alias !== '' ? alias : '-';
  return printable(text.length > 30 ? `${text.slice(0, 27)}...` : text);
}

function timeOfDay(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function valueText(value: unknown): string {
  return value === undefined ? 'undefined' : printableJson(value);
}
