/** The health of the hosts, as a daemon's status has that of its sources: for programs that show one host's. Pure. */
import type { SourceStatus, Status } from '../client/status.js';
import type { FleetHost } from './hosts.js';

/** A host is a source of VMs: `running`, or `degraded` when its VMs may be out of date. */
export function sourcesOf(hosts: readonly FleetHost[]): readonly SourceStatus[] {
  return hosts.map(({ record, stale }) => {
    const { publisher, daemon, at } = record;
    const problem =
      stale !== undefined
        ? 'the host has not been heard of'
        : (publisher.trouble?.message ?? (daemon ? undefined : 'its vminfod does not answer'));
    return {
      name: record.hostname,
      state: problem === undefined ? 'running' : 'degraded',
      since: stale ?? publisher.trouble?.since ?? at,
      restarts: 0,
      events: publisher.counters.written,
      lastError: problem === undefined ? null : { message: problem, time: stale ?? at },
    };
  });
}

/** A status that says how the hosts are. */
export function fleetStatus(hosts: readonly FleetHost[], uptimeSeconds: number, now: Date): Status {
  return {
    pid: process.pid,
    state: 'running',
    status: 'idle',
    uptime: `${uptimeSeconds}s`,
    memory: {},
    numVms: hosts.reduce((sum, { record }) => sum + record.vms.total, 0),
    curDate: now.toISOString(),
    queue: { paused: false, idle: true, vasync_queue: { npending: 0, nqueued: 0 } },
    refreshErrors: [],
    eventsListeners: {},
    sources: sourcesOf(hosts),
    loadErrors: [],
  };
}
