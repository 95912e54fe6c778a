import tap from 'tap';
import { CommandOutput } from '../../lib/host/command-output.js';

const marks = { before: 'MARK\n', after: '\nMARK ' };

/** What becomes of pieces of output: a refusal, or the text and the status as far as they are known. */
function outcome(pieces: readonly Buffer[], maxBytes = 20): unknown {
  const output = new CommandOutput(marks, maxBytes);
  for (const piece of pieces) {
    const bad = output.add(piece);
    if (bad !== undefined) return bad;
  }
  return [output.text(), output.status];
}

const cases: readonly (readonly [name: string, text: string, outcome: unknown])[] = [
  ['nothing between the marks', 'MARK\n\nMARK 0\n', ['', 0]],
  ['a line, and a status of three digits', 'MARK\nline\n\nMARK 137\n', ['line\n', 137]],
  ['no newline at its end', 'MARK\nline\nMARK 1\n', ['line', 1]],
  ['what looks like a mark but is not', 'MARK\nMARK\n\nMAR\n\nMARK 0\n', ['MARK\n\nMAR\n', 0]],
  ['something before the marks', 'late\nMARK\nline\n\nMARK 0\n', 'unplaced'],
  ['something after them', 'MARK\nline\n\nMARK 0\nlate\n', 'unplaced'],
  ['something within the last', 'MARK\nline\n\nMARK late\n', 'unplaced'],
  ['a status that is too long', 'MARK\nline\n\nMARK 1234\n', 'unplaced'],
  ['as much as there may be', `MARK\n${'x'.repeat(20)}\nMARK 0\n`, ['x'.repeat(20), 0]],
  ['a byte too much', `MARK\n${'x'.repeat(21)}\nMARK 0\n`, 'too much'],
  ['too much, and no end', `MARK\n${'x'.repeat(100)}`, 'too much'],
  ['two bytes a letter', `MARK\n${'é'.repeat(11)}\nMARK 0\n`, 'too much'],
];

for (const [name, text, expected] of cases) {
  void tap.test(`${name}: the same in one piece, in two, and byte by byte`, (t) => {
    const bytes = Buffer.from(text);
    t.same(outcome([bytes]), expected);
    for (let at = 1; at < bytes.length; at++) {
      t.same(outcome([bytes.subarray(0, at), bytes.subarray(at)]), expected);
    }
    t.same(outcome(Array.from(bytes, (byte) => Buffer.of(byte))), expected);
    t.end();
  });
}

void tap.test('without the last mark there is no status', (t) => {
  t.same(outcome([Buffer.from('MARK\nline\n\nMARK 0')]), ['line\n', undefined]);
  t.same(outcome([Buffer.from('MAR')]), ['', undefined]);
  t.end();
});
