import tap from 'tap';
import { draw } from '../../../lib/cli/top/draw.js';
import { shortAge, shortSize } from '../../../lib/cli/numbers.js';
import { clip, fit, widthOf } from '../../../lib/cli/text.js';
import { update } from '../../../lib/cli/top/update.js';
import { aVm, uuids } from '../../client/a-vm.js';
import { aModel, now } from './a-model.js';

const plain = (_: unknown, text: string) => text;

const evil = aVm({
  alias: '\u001b[2J\u202eevil\u0007',
  brand: 'joyent-minimal',
  customer_metadata: { note: '\u009b31m', root_pw: 'hunter2' },
  nics: [{ ip: '10.0.0.7', primary: true }],
});
const wide = aVm({ zonename: uuids.db, alias: '数据库数据库数据库数据库', state: 'failed' });

for (const [columns, rows] of [
  [80, 24],
  [120, 40],
  [200, 60],
  [40, 10],
  [10, 3],
] as const) {
  void tap.test(`at ${columns}x${rows} each frame fits, without a character that moves a cursor`, (t) => {
    for (const mode of ['table', 'typing', 'help', 'detail'] as const) {
      const model = aModel([evil, wide], { size: { columns, rows }, mode, selected: evil.zonename });
      const lines = draw(model, plain);
      t.equal(lines.length, rows - 1, mode);
      for (const line of lines) t.notMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e]/);
      t.ok(Math.max(...lines.map(widthOf)) < columns, `${mode}: ${Math.max(...lines.map(widthOf))}`);
    }
    t.end();
  });
}

void tap.test('an open VM keeps its secrets', (t) => {
  const model = aModel([evil], {
    size: { columns: 120, rows: 200 },
    mode: 'detail',
    selected: evil.zonename,
  });
  const text = draw(model, plain).join('\n');
  t.notMatch(text, 'hunter2');
  t.match(text, /customer_metadata\.root_pw +\*{8}/);
  t.end();
});

void tap.test('what is lost is said, and what is ill', (t) => {
  const lost = update(aModel([evil]), { type: 'lost', note: 'connect ECONNREFUSED' }, now);
  const text = draw(update(lost, { type: 'tick' }, now + 7000), plain).join('\n');
  t.match(text, /no connection for 7s/);
  t.match(text, /ECONNREFUSED/);
  const back = update(lost, { type: 'connected', note: 'connected again, nothing missed' }, now);
  t.match(draw(back, plain)[0], /connected again, nothing missed/);
  t.match(draw(update(back, { type: 'tick' }, now + 11_000), plain)[0], /● connected$/);
  t.end();
});

void tap.test('numbers in few characters', (t) => {
  t.strictSame([512, 1024, 1536, 184 * 1024, 3 * 1024 ** 2].map(shortSize), [
    '512M',
    '1G',
    '1.5G',
    '184G',
    '3T',
  ]);
  const ages = [0, 59_000, 120_000, 7_200_000, 400 * 86_400_000, 4000 * 86_400_000];
  t.strictSame(ages.map(shortAge), ['0s', '59s', '2m', '2h', '400d', '10y']);
  t.end();
});

void tap.test('text in columns', (t) => {
  t.equal(fit('ab', 4), 'ab  ');
  t.equal(fit('ab', 4, 'right'), '  ab');
  t.equal(fit('abcdef', 4), 'abc…');
  t.equal(fit('数据库', 4), '数… ');
  t.equal(clip('abc', 0), '');
  t.end();
});
