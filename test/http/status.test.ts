import tap from 'tap';
import { diagnose } from '../../lib/client/diagnose.js';
import type { Status } from '../../lib/client/status.js';
import { status, type StatusInputs } from '../../lib/http/status.js';
import { VmMap } from '../../lib/vm/vm-map.js';

const second = 1_000_000_000n;
const rescan = { startedNs: 88n * second, endedNs: 90n * second, reason: 'timer', found: [] };
const failure = { error: 'zfs failed', problem: 'zfs failed', endedNs: 90n * second };

/** 10 s after a rescan. */
function statusAt(now: Date, failures: readonly (typeof failure)[]): Status {
  const found = { 'zone-events': 0, 'zfs-events': 0, 'file-events': 0 };
  const inputs: StatusInputs = {
    process: { pid: 1, uptimeNs: second, monotonicNs: 100n * second, memory: process.memoryUsage(), now },
    snapshot: { loaded: true, seq: 0, vms: VmMap.empty() },
    cache: {
      awaiting: [],
      queue: { pending: 0, queued: 0 },
      rescans: { records: [rescan], failures, found, complete: 1, failed: 0 },
      loadErrors: [],
    },
    rescanIntervalMs: 300_000,
    sources: [],
    listeners: {
      list: () => [],
      overflows: { bytes: 0, deadline: 0, log: 0 },
      crowd: () => ({ max: 1, refused: 0, holders: [] }),
    },
    connections: {},
    instance: 'x',
    log: { lostLines: 0, unwrittenBytes: 0, error: null },
    files: { threads: 1, stuck: 0, hung: [], stalled: false },
    watches: { watching: [], notWatching: [] },
  };
  return JSON.parse(JSON.stringify(status(inputs))) as Status;
}

void tap.test('systemd/systemd#5014: the clock is set, and what goes by it stops or fails', (t) => {
  for (const hours of [0, 2, -2]) {
    const now = new Date(Date.UTC(2026, 0, 1, 12 + hours));
    const fine = statusAt(now, []);
    t.match(fine, { lastRefresh: '10.000000000s (10s)', refreshLog: [{ took: '2.000000000s (2s)' }] });
    t.strictSame(diagnose(fine), [], 'the rescan was not long ago');
    const failed = statusAt(now, [failure]);
    const time = new Date(now.getTime() - 10_000).toISOString();
    t.match(failed.refreshErrors, [{ ago: '10s', time }]);
    t.match(diagnose(failed), [{ what: /rescan failed 10s ago/ }], 'and its failure is not forgotten');
  }
  t.end();
});
