/** Keys as Ink reads them, as those of the view. Pure. */
import type { Key as InkKey } from 'ink';
import type { Key } from './keys.js';

/** A key of the view, or one that the terminal would have acted on were it not in raw mode. */
export type TerminalKey = Key | { readonly name: 'interrupt' } | { readonly name: 'suspend' };

/** What is typed fast or pasted comes in one piece: a key for each character of it. */
export function keysOf(input: string, key: Partial<InkKey>): readonly TerminalKey[] {
  if (key.ctrl) return input === 'c' ? [{ name: 'interrupt' }] : input === 'z' ? [{ name: 'suspend' }] : [];
  const named = names.find(([flag]) => key[flag]);
  if (named) return [{ name: named[1], text: '' }];
  return Array.from(input).flatMap((character): Key[] => {
    if (character === '\r' || character === '\n') return [{ name: 'enter', text: '' }];
    if (character === '\u007f') return [{ name: 'backspace', text: '' }];
    return /\p{C}/u.test(character) ? [] : [{ name: 'text', text: character }];
  });
}

const names: readonly (readonly [keyof InkKey, Key['name']])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageUp'],
  ['pageDown', 'pageDown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
];
