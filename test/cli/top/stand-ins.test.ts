import tap from 'tap';
import { StandIns } from '../../../lib/cli/top/stand-ins.js';

void tap.test('a character for each line, and the line for each character', (t) => {
  const standIns = new StandIns();
  const first = standIns.of(['a', 'b', 'b', '']);
  t.equal(new Set(first).size, 3, 'equal lines have the same');
  t.equal(standIns.replace(`\x1b[1G${first.join('\n')}`), '\x1b[1Ga\nb\nb\n');

  const second = standIns.of(['c', 'b']);
  t.equal(second[1], first[1], 'a line that stays keeps its own');
  t.equal(standIns.replace(first.join('')), 'abb', 'a frame that is still to be written');

  for (let n = 0; n < 5_000; n++) standIns.of([`${n}`, 'b']);
  t.equal(standIns.replace(standIns.of(['d', 'b']).join('')), 'db', 'however many there have been');
  t.equal(standIns.replace('web \u{e000}'), 'web \u{e000}', 'others are left alone');
  t.end();
});
