import type { Status } from '../../lib/client/status.js';

/** The status of a daemon that is well, but for one rescan that failed before the last good one. */
export function aStatus(overrides: Partial<Status> = {}): Status {
  return {
    pid: 96973,
    state: 'running',
    status: 'working',
    uptime: '17.095167897s (17.1s)',
    memory: { rss: 47.25 * 1024 * 1024 },
    numVms: 34,
    curDate: '2026-11-23T10:00:20.000Z',
    queue: { paused: false, idle: true, vasync_queue: { npending: 0, nqueued: 0 } },
    lastRefresh: '15.506684706s (15.51s)',
    refreshErrors: [{ err: 'zfs: exit 1', time: '2026-11-23T10:00:04.000Z', ago: '16s (16s)' }],
    eventsListeners: {
      '0001': { userAgent: 'vmadm - host/1 (vmadm)', createdAgo: '5s (5s)' },
      '0002': { userAgent: 'evil \u001b[2J\u009b', createdAgo: '6s (6s)' },
    },
    ...overrides,
  };
}
