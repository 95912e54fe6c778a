/**
 * Whether what vminfod says can be trusted, and if not, why and what to do, in words: a pure function of its status.
 */
import { defaultRescanIntervalMs, missedRescans } from '../config.js';
import { errorText, isUnhealthy, type Status } from './status.js';

/** Something is wrong: what, and what to do about it. */
export interface Trouble {
  readonly what: string;
  readonly advice: string;
}

/** All that is wrong, what weighs most first. */
export function diagnose(status: Status): Trouble[] {
  return [
    ...boot(status),
    ...paused(status),
    ...(status.sources ?? []).filter(isUnhealthy).map((source) => ({
      what: `source ${source.name} is ${source.state} since ${source.since}${source.lastError ? `: ${source.lastError.message}` : ''}`,
      advice: `It is restarted by itself (${source.restarts} times so far). Until then only the rescan finds what it would have said.`,
    })),
    ...missedEvents(status),
    ...unwrittenLog(status),
    ...rescans(status),
    ...(status.loadErrors ?? []).map(({ zone, input, error, since }) => ({
      what: `zone ${zone}: its ${input} cannot be read since ${since}: ${error}`,
      advice:
        'Its last good state is served. Mend the cause; it is read again by itself, or at once by vminfo sync.',
    })),
  ];
}

function boot({ state, awaiting = [] }: Status): Trouble[] {
  if (state !== 'booting') return [];
  return [
    {
      what: `vminfod is still loading${awaiting.length > 0 ? `; it waits for ${awaiting.join(', ')}` : ''}`,
      advice:
        'Until then it answers 503. A zfs list with many snapshots takes minutes; see the service log for errors.',
    },
  ];
}

function paused({ state }: Status): Trouble[] {
  if (state !== 'paused') return [];
  return [
    { what: 'vminfod is paused: nothing is read', advice: 'Restart it: svcadm restart svc:/system/vminfod.' },
  ];
}

function missedEvents({ missed = {} }: Status): Trouble[] {
  return Object.entries(missed)
    .filter(([, count]) => count > 0)
    .map(([source, count]) => ({
      what: `${count} ${count === 1 ? 'change' : 'changes'} came without an event of ${source}; a rescan found them`,
      advice:
        'The kernel drops events under load. If this grows, a shorter --rescan-interval finds them sooner.',
    }));
}

function unwrittenLog({ log }: Status): Trouble[] {
  if (typeof log?.error !== 'string') return [];
  const lost = log.lostLines > 0 ? `; ${log.lostLines} lines of it are lost` : '';
  return [
    {
      what: `the log cannot be written: ${log.error}${lost}`,
      advice:
        'Make room where it lies (svcs -L vminfod), or see who reads it. Nothing else is held up by it.',
    },
  ];
}

function rescans(status: Status): Trouble[] {
  const { state, curTime, uptime, lastRefresh, refreshErrors, rescanIntervalMs } = status;
  if (state === 'booting') return [];
  const ageMs = milliseconds(lastRefresh ?? uptime);
  // A rescan that ended with an error has the time of its end.
  const failure = refreshErrors.findLast(
    ({ time }) => new Date(time).getTime() >= curTime - ageMs - clockGrainMs,
  );
  if (failure) {
    return [
      {
        what: `the last rescan failed ${failure.ago} ago: ${errorText(failure.err)}`,
        advice:
          'It is tried again. Try the command by hand; svcadm refresh svc:/system/vminfod rescans at once.',
      },
    ];
  }
  if (ageMs <= missedRescans * (rescanIntervalMs ?? defaultRescanIntervalMs)) return [];
  return [
    {
      what: `no rescan has ended for ${Math.round(ageMs / 1000)} s`,
      advice:
        'A zfs list may hang: see ps -ef and the service log; svcadm refresh svc:/system/vminfod rescans at once.',
    },
  ];
}

/** Times in `/status` are whole milliseconds, made one after the other. */
const clockGrainMs = 5;

/** Of a pretty duration: `15.506684706s (15.51s)`. */
function milliseconds(duration: string): number {
  return Number.parseFloat(duration) * 1000;
}
