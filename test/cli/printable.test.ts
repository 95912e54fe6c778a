import tap from 'tap';
import { printable, printableJson } from '../../lib/cli/printable.js';

/** C0, DEL, C1, line separators, marks that change the direction. */
const hostile = [
  '\u001b]0;x\u0007',
  '\r\n\t',
  '\u007f',
  '\u009b31m',
  '\u0085',
  '\u2028\u2029',
  '\u202e\u2066\u200f',
];

void tap.test('nothing that controls a terminal passes', (t) => {
  for (const text of hostile) {
    for (const shown of [printable(text), printableJson(text), printableJson({ [text]: [text] }, 2)]) {
      // The indentation of our own is the only control character.
      t.notMatch(shown.replaceAll('\n', ''), /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200f]/u, shown);
    }
    t.notMatch(printable(text), /\n/);
    t.equal(JSON.parse(printableJson(text)), text, 'JSON still means the same');
  }
  t.end();
});

void tap.test('everything else stays as it is', (t) => {
  for (const text of ['web01', 'größe €', '日本 🦙', 'a\\u001b']) t.equal(printable(text), text);
  t.equal(printable('\u001b[31m'), '\\u001b[31m');
  t.end();
});
