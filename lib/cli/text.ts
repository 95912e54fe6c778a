/** Measures, cuts and pads text by the columns that it takes on a terminal. Pure. */
import stringWidth from 'string-width';
import type { Context } from './context.js';
import { printable } from './printable.js';

/** Styles text that is already cut and padded; without colours, returns it unchanged. */
export type Paint = Context['paint'];

const plain = /^[\x20-\x7e]*$/;

/** Made for the first text that needs it: loading ICU's rules takes a fifth of the time of a `list`. */
let graphemes: Intl.Segmenter | undefined;

/** The columns that an unstyled text takes. */
export function widthOf(text: string): number {
  return plain.test(text) ? text.length : stringWidth(text);
}

/** A VM's text in exactly this many columns, safe for a terminal: cut with `…`, or padded. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = clip(text, width);
  const padding = ' '.repeat(Math.max(0, width - widthOf(cut)));
  return align === 'left' ? cut + padding : padding + cut;
}

/** A VM's text in at most this many columns, safe for a terminal: longer text is cut and ends with `…`. */
export function clip(text: string, width: number): string {
  const safe = printable(text);
  if (widthOf(safe) <= width) return safe;
  if (width <= 0) return '';
  if (plain.test(safe)) return `${safe.slice(0, width - 1)}…`;
  let kept = '';
  let taken = 0;
  for (const { segment } of (graphemes ??= new Intl.Segmenter()).segment(safe)) {
    taken += stringWidth(segment);
    if (taken > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
