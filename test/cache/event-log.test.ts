import tap from 'tap';
import { EventLog } from '../../lib/cache/event-log.js';
import type { Commit } from '../../lib/cache/vm-store.js';

const aCommit = (seq: number, bytes = 10) =>
  ({ seq, stored: { bytes: [Buffer.alloc(bytes)] } }) as unknown as Commit;
const seqs = (commits: readonly Commit[] | undefined) => commits?.map(({ seq }) => seq);

void tap.test('reaches back as far as its count', (t) => {
  const log = new EventLog(3, 1_000);
  t.same(seqs(log.after(0)), [], 'nothing happened yet');
  t.equal(log.oldest, undefined);
  for (let seq = 1; seq <= 100; seq++) {
    log.add(aCommit(seq));
    t.equal(log.seq, seq);
    t.same(seqs(log.after(seq)), []);
    t.same(
      seqs(log.after(Math.max(0, seq - 3))),
      [seq - 2, seq - 1, seq].filter((each) => each > 0),
    );
    t.equal(log.oldest?.seq, Math.max(1, seq - 2));
    if (seq > 3) t.equal(log.after(seq - 4), undefined);
    t.equal(log.after(seq + 1), undefined, 'yet to come');
  }
  t.end();
});

void tap.test('reaches back as far as its bytes', (t) => {
  const log = new EventLog(100, 50);
  for (let seq = 1; seq <= 10; seq++) log.add(aCommit(seq, 20));
  t.same(seqs(log.after(8)), [9, 10]);
  t.equal(log.after(7), undefined);
  log.add(aCommit(11, 1_000));
  t.equal(log.oldest, undefined);
  t.same(seqs(log.after(11)), [], 'one that is too large is not kept, and known not to be');
  t.equal(log.after(10), undefined);
  log.add(aCommit(12));
  t.same(seqs(log.after(11)), [12]);
  t.end();
});
