/** What the two threads know of each other through shared memory. */
import tap from 'tap';
import { FileProgress } from '../../lib/host/file-progress.js';

void tap.test('big messages count as unheard until the main thread has heard them', (t) => {
  const main = new FileProgress();
  const thread = new FileProgress(main.shared);
  t.equal(thread.isHeard, true);
  thread.said(false);
  t.equal(thread.isHeard, true, 'a small one does not matter');
  thread.said(true);
  thread.said(false);
  t.equal(thread.isHeard, false);
  main.hear();
  t.equal(thread.isHeard, false, 'that was the first');
  main.hear();
  t.equal(thread.isHeard, true, 'the big one; the last need not be heard');
  t.end();
});
