/** Counts wait until prom-client is loaded, and none is lost. */
import tap from 'tap';
import { maxWaitingCounts } from '../../lib/config.js';
import { createMetrics } from '../../lib/http/metrics.js';
import type { MetricsState } from '../../lib/http/prometheus.js';

const state = {
  snapshot: { loaded: true, seq: 0, vms: new Map() },
  cache: { rescans: { complete: 0, failed: 0, found: {} }, loadErrors: [] },
  listeners: { list: () => [], overflows: {} },
  sources: [],
  log: { lostLines: 0, unwrittenBytes: 0, error: null },
  files: { threads: 1, hung: [] },
} as unknown as MetricsState;

void tap.test(
  'what was counted before anybody asked is in the first report, and what came after in the next',
  async (t) => {
    const metrics = createMetrics(() => state);
    metrics.command({ command: '/usr/sbin/zfs', durationMs: 3 });
    metrics.command({ command: '/usr/sbin/zfs', durationMs: 3, error: { code: 'TIMEOUT' } });
    const first = metrics.report();
    metrics.invalidation('zfs-events'); // While it is loaded.
    t.match((await first).text, /vminfod_command_duration_seconds_count\{command="zfs"\} 2\n/);
    t.match((await first).text, /vminfod_command_failures_total\{command="zfs",code="TIMEOUT"\} 1\n/);
    metrics.invalidation('zfs-events');
    t.match((await metrics.report()).text, /vminfod_invalidations_total\{source="zfs-events"\} 2\n/);
  },
);

void tap.test('more than may wait is counted, too', async (t) => {
  const metrics = createMetrics(() => state);
  for (let count = 0; count < 3 * maxWaitingCounts; count++) metrics.invalidation('file-events');
  const { text } = await metrics.report();
  t.match(text, new RegExp(`\\{source="file-events"\\} ${3 * maxWaitingCounts}\\n`));
});
