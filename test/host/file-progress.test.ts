/** What the two threads know of each other through shared memory. */
import tap from 'tap';
import type { FileNews } from '../../lib/host/file-messages.js';
import { FileProgress } from '../../lib/host/file-progress.js';

void tap.test('texts count as unheard until the main thread has heard them', (t) => {
  const main = new FileProgress();
  const thread = new FileProgress(main.shared);
  const small: readonly FileNews[] = [{ type: 'changed', zonename: 'zone', names: ['xml'] }];
  const texts: readonly FileNews[] = [
    ...small,
    { type: 'changed', zonename: 'zone', names: ['tags'], texts: [] },
  ];
  t.equal(thread.isHeard, true);
  thread.say(small);
  t.equal(thread.isHeard, true, 'a message without texts does not matter');
  thread.say(texts);
  thread.say(small);
  t.equal(thread.isHeard, false);
  main.hear(small);
  t.equal(thread.isHeard, false, 'that was the first');
  main.hear(texts);
  t.equal(thread.isHeard, true, 'the last need not be heard');
  t.end();
});
