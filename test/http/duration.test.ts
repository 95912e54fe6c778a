import tap from 'tap';
import { hrtime, prettyDuration, shortDuration } from '../../lib/http/duration.js';

void tap.test('durations in the form of the platform', (t) => {
  const cases: [bigint, string][] = [
    [0n, '0.000000000s (0ns)'],
    [999n, '0.000000999s (999ns)'],
    [1_500n, '0.000001500s (1.5us)'],
    [12_345_678_901n, '12.345678901s (12.35s)'],
    [17_100_000_000n, '17.100000000s (17.1s)'],
    [90_000_000_000n, '90.000000000s (1.5m)'],
    [3_600_000_000_000n, '3600.000000000s (1h)'],
    [200_000_000_000_000n, '200000.000000000s (2.31d)'],
  ];
  for (const [nanoseconds, text] of cases) t.equal(prettyDuration(nanoseconds), text);
  t.equal(hrtime(1n), '0.000000001');
  t.equal(shortDuration(2_720_000_000n), '2.72s');
  t.end();
});
