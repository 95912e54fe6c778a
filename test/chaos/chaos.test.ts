/** The chaos test in its short form; `npm run test:chaos` is the long one. */
import tap from 'tap';
import { faultsNeverInjected, reportText } from './report.js';
import { runChaos } from './chaos.js';

void tap.test('after a storm of faults the cache equals what a fresh daemon assembles', async (t) => {
  const seed = 1;
  const report = await runChaos({ seed, seconds: 0, stormSeconds: 6 });
  t.comment(reportText(report, seed, 1));
  t.strictSame(report.problems, [], 'no problems');
  t.strictSame(faultsNeverInjected(report), [], 'every kind of fault had its turn');
});
