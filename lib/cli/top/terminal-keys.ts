/** Keys as Node reads them from a terminal, as those of the view. Pure. */
import type { Key } from './keys.js';

/** A key of the view, or one that the terminal would have acted on were it not in raw mode. */
export type TerminalKey = Key | { readonly name: 'interrupt' } | { readonly name: 'suspend' };

/** What `node:readline` says of a key. */
export interface Keypress {
  readonly name?: string | undefined;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
}

/** The key of the view, if it is one. `text` is what it types. */
export function keysOf(
  text: string | undefined,
  { name = '', ctrl, meta }: Keypress,
): readonly TerminalKey[] {
  if (ctrl) return name === 'c' ? [{ name: 'interrupt' }] : name === 'z' ? [{ name: 'suspend' }] : [];
  const named = names.get(name);
  if (named) return [{ name: named, text: '' }];
  return meta || text === undefined || /\p{C}/u.test(text) ? [] : [{ name: 'text', text }];
}

const names: ReadonlyMap<string, Key['name']> = new Map([
  ['up', 'up'],
  ['down', 'down'],
  ['left', 'left'],
  ['right', 'right'],
  ['pageup', 'pageUp'],
  ['pagedown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['enter', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
]);
