/**
 * Whether vminfod's answers can be trusted, and if not, why and what to do: a pure function of its status.
 */
import { defaultRescanIntervalMs, missedRescans } from '../config.js';
import { holdersText, type Holders } from '../holders.js';
import { errorText, isUnhealthy, type RefreshError, type SourceStatus, type Status } from './status.js';

/** A problem, and what to do about it. */
export interface Trouble {
  readonly what: string;
  readonly advice: string;
  /** Whether VMs may be out of date because of it. */
  readonly isStale: boolean;
}

/** All problems, the gravest first. One cause is one problem, however many zones show it. */
export function diagnose(status: Status): Trouble[] {
  const ill = (status.sources ?? []).filter(isUnhealthy);
  const readings = failedReadings(status);
  const hostIsGone = readings.some(({ problem }) => isMissing(problem) && problem.startsWith('/'));
  const isExplained = (problem: string) => hostIsGone && isMissing(problem);
  return [
    ...boot(status),
    ...paused(status),
    ...(hostIsGone ? [gone(readings.filter(({ problem }) => isMissing(problem)))] : []),
    ...ill.filter(({ lastError }) => !isExplained(lastError?.message ?? '')).map(illSource),
    ...missedEvents(status),
    ...unwrittenLog(status),
    ...crowds(status),
    ...noRescan(status),
    ...grouped(readings.filter(({ problem }) => !isExplained(problem))).map(unreadable),
  ];
}

function illSource({ name, state, since, lastError, restarts }: SourceStatus): Trouble {
  return {
    what: `source ${name} is ${state} since ${since}${lastError ? `: ${lastError.message}` : ''}`,
    advice: `It is restarted automatically (${restarts} times so far). Until it runs again, only rescans find its changes.`,
    isStale: true,
  };
}

function boot({ state, awaiting = [] }: Status): Trouble[] {
  if (state !== 'booting') return [];
  return [
    {
      what: `vminfod is still loading${awaiting.length > 0 ? `; it waits for ${awaiting.join(', ')}` : ''}`,
      advice:
        'Until then it answers 503. A zfs list with many snapshots takes minutes; see the service log for errors.',
      isStale: false,
    },
  ];
}

function paused({ state }: Status): Trouble[] {
  if (state !== 'paused') return [];
  return [
    {
      what: 'vminfod is paused: nothing is read',
      advice: 'Restart it: svcadm restart svc:/system/vminfod.',
      isStale: true,
    },
  ];
}

function missedEvents({ missed = {} }: Status): Trouble[] {
  return Object.entries(missed)
    .filter(([, count]) => count > 0)
    .map(([source, count]) => ({
      what: `${count} ${count === 1 ? 'change' : 'changes'} came without an event of ${source}; a rescan found them`,
      advice:
        'The kernel drops events under load. If this grows, a shorter --rescan-interval finds them sooner.',
      isStale: false,
    }));
}

function unwrittenLog({ log }: Status): Trouble[] {
  if (typeof log?.error !== 'string') return [];
  const lost = log.lostLines > 0 ? `; ${log.lostLines} lines of it are lost` : '';
  return [
    {
      what: `the log cannot be written: ${log.error}${lost}`,
      advice:
        'Free space on its file system (svcs -L vminfod), or check who reads it. Nothing else is held up by this.',
      isStale: false,
    },
  ];
}

/** The door is full, or nearly: who stands in it. */
function crowds({ listeners, eventsListeners, connections = {} }: Status): Trouble[] {
  const count = Object.keys(eventsListeners).length;
  const told = (what: string, holders: Holders) => ({
    what: `${what}: ${holdersText(holders)}`,
    advice:
      'See what opens so many, and end it: vminfo and the like have their process in their name, and netstat -nu ' +
      '(Linux: ss -tnp) shows the process of every connection. On the Unix socket there is still room.',
    isStale: false,
  });
  return [
    ...(listeners !== undefined && count >= listeners.max
      ? [told(`no more listeners are taken than the ${count} there are`, listeners.holders)]
      : []),
    ...Object.entries(connections)
      .filter(([, { open, max }]) => open >= max)
      .map(([where, { max, holders }]) =>
        told(`${max} connections to ${where}, and each more ends the oldest idle one`, holders),
      ),
  ];
}

function noRescan(status: Status): Trouble[] {
  const { state, rescanIntervalMs } = status;
  const ageMs = sinceRescanMs(status);
  if (state === 'booting' || lastFailures(status).length > 0) return [];
  if (ageMs <= missedRescans * (rescanIntervalMs ?? defaultRescanIntervalMs)) return [];
  return [
    {
      what: `no rescan has ended for ${Math.round(ageMs / 1000)} s`,
      advice:
        'A zfs list may hang: see ps -ef and the service log; svcadm refresh svc:/system/vminfod rescans at once.',
      isStale: true,
    },
  ];
}

/** A read error, of a zone or of the last rescan. */
interface FailedReading {
  readonly problem: string;
  readonly error: string;
  /** Absent for a rescan. */
  readonly zone?: string;
  readonly input?: string;
  readonly since?: string;
  /** How long ago the rescan ended. */
  readonly ago?: string;
}

function failedReadings(status: Status): FailedReading[] {
  return [
    ...lastFailures(status).map(({ err, problem, ago }) => {
      const error = errorText(err);
      return { error, problem: problem ?? error, ago };
    }),
    ...(status.loadErrors ?? []).map(({ error, problem = error, zone, input, since }) => ({
      ...{ error, problem, zone, input, since },
    })),
  ];
}

/** Why the last rescan failed, if it did: the errors that have the time of its end. */
function lastFailures(status: Status): readonly RefreshError[] {
  if (status.state === 'booting') return [];
  const { curDate, refreshErrors } = status;
  const endedAt = Date.parse(curDate) - sinceRescanMs(status) - clockGrainMs;
  return refreshErrors.filter(({ time }) => new Date(time).getTime() >= endedAt);
}

function isMissing(problem: string): boolean {
  return problem.endsWith(' does not exist');
}

/** The host's commands are missing, which explains everything else that is missing. */
function gone(readings: readonly FailedReading[]): Trouble {
  const commands = readings
    .filter(({ problem }) => problem.startsWith('/'))
    .map(({ problem }) => problem.slice(0, problem.indexOf(' ')));
  const zones = new Set(readings.flatMap(({ zone }) => zone ?? []));
  return {
    what: `the host cannot be read: there is no ${some([...new Set(commands)], 3, 'or')}`,
    advice:
      `Is the root of the host (--root) there, and mounted? Until it is back ${vmsText(zones.size)} shown as last seen; ` +
      'then vminfod goes on by itself, or at once after svcadm refresh svc:/system/vminfod.',
    isStale: true,
  };
}

function vmsText(count: number): string {
  if (count === 0) return 'all VMs are';
  return count === 1 ? '1 VM is' : `${count} VMs are`;
}

/** Grouped by cause, in the order of first occurrence. */
function grouped(readings: readonly FailedReading[]): FailedReading[][] {
  const groups = new Map<string, FailedReading[]>();
  for (const reading of readings) {
    const group = groups.get(reading.problem);
    if (group) group.push(reading);
    else groups.set(reading.problem, [reading]);
  }
  return [...groups.values()];
}

function unreadable(group: readonly FailedReading[]): Trouble {
  const { error = '' } = group[0] ?? {};
  const ago = group.findLast((each) => each.ago !== undefined)?.ago;
  const zones = [...new Set(group.flatMap(({ zone }) => zone ?? []))];
  const inputs = [...new Set(group.flatMap(({ input }) => input ?? []))];
  const [since] = group.flatMap((each) => each.since ?? []).sort();
  const [first = ''] = zones;
  if (zones.length === 0) {
    return {
      what: `the last rescan failed ${ago} ago: ${error}`,
      advice:
        'It is tried again. Try the command by hand; svcadm refresh svc:/system/vminfod rescans at once.',
      isStale: true,
    };
  }
  const which =
    zones.length === 1
      ? `zone ${first}: its ${some(inputs, 3, 'and')}`
      : `${zones.length} zones: their ${some(inputs, 3, 'and')}`;
  const named = zones.length === 1 ? '' : ` (${some(zones, 3, 'and')})`;
  const rescan = ago === undefined ? '' : `; by this the last rescan failed, too, ${ago} ago`;
  return {
    what: `${which} cannot be read since ${since}: ${error}${named}${rescan}`,
    advice:
      'Its last good state is served. Fix the cause; it is then read again automatically, or at once by vminfo sync.',
    isStale: true,
  };
}

/** The first few names, and how many more there are. */
function some(names: readonly string[], max: number, word: 'and' | 'or'): string {
  const shown = names.slice(0, max);
  const last = names.length > max ? `${names.length - max} more` : shown.pop();
  return shown.length === 0 ? `${last}` : `${shown.join(', ')} ${word} ${last}`;
}

/** Times in `/status` are whole milliseconds, made one after the other. */
const clockGrainMs = 5;

/** How long ago a rescan ended; before the first: since the start. */
function sinceRescanMs({ lastRefresh, uptime }: Status): number {
  return milliseconds(lastRefresh ?? uptime);
}

/** Parses a duration such as `15.506684706s (15.51s)`. */
function milliseconds(duration: string): number {
  return Number.parseFloat(duration) * 1000;
}
