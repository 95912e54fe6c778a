import tap from 'tap';
import { linesOf } from '../../lib/client/lines.js';

async function* pieces(text: string, size: number) {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += size) {
    yield await Promise.resolve(bytes.subarray(start, start + size));
  }
}

async function collect(text: string, size: number, maxBytes = 1000): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(pieces(text, size), maxBytes)) lines.push(line);
  return lines;
}

void tap.test('gives the same lines however the bytes are cut, UTF-8 included', async (t) => {
  const text = 'one\n\nzwei: äöü€🦙\nthree\n';
  for (let size = 1; size <= 30; size++) {
    t.strictSame(await collect(text, size), ['one', '', 'zwei: äöü€🦙', 'three'], `${size} bytes a piece`);
  }
});

void tap.test('what follows the last newline is not a line', async (t) => {
  t.strictSame(await collect('whole\npart', 3), ['whole']);
});

void tap.test('a line longer than the bound is an error, one of just its length is not', async (t) => {
  t.strictSame(await collect(`${'x'.repeat(10)}\n`, 5, 10), ['x'.repeat(10)]);
  const refused = { code: 'BadAnswer', message: /longer than 10 bytes/ };
  await t.rejects(collect('x'.repeat(11), 5, 10), refused);
  await t.rejects(collect(`${'x'.repeat(11)}\n`, 100, 10), refused, 'though it ends in the same piece');
  await t.rejects(collect(`${'é'.repeat(6)}\n`, 100, 10), refused, 'bytes, not characters');
});
