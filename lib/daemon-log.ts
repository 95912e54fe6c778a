/** What the daemon logs of what happens in it. */
import type { Logger } from 'pino';
import {
  ignoreElements,
  map,
  merge,
  skip,
  tap,
  throttleTime,
  type Observable,
  type Subscription,
} from 'rxjs';
import type { Commit } from './cache/vm-store.js';
import { http as limits } from './config.js';
import { holdersText } from './holders.js';
import type { ConnectionsStatus } from './http/connections.js';
import type { SourceHealth } from './sources/health.js';

/** One short line per event. */
export function logEvents(commits: readonly Commit[], log: Logger): void {
  for (const { event, seq } of commits) {
    const what = event.type === 'modify' ? event.changes.map(({ prettyPath }) => prettyPath).join(', ') : '';
    log.info({ zonename: event.zonename, seq }, `${event.type} ${event.zonename} ${what}`.trimEnd());
  }
}

/** One line when a source is unwell, and one when it is well again. */
export function logHealth(sources: readonly SourceHealth[], log: Logger): Observable<never> {
  return merge(
    ...sources.map((source) =>
      source.state.pipe(
        skip(1),
        map((state) => ({ state, source })),
      ),
    ),
  ).pipe(
    tap(({ state, source }) => {
      const { name } = source;
      if (state === 'restarting' || state === 'degraded') {
        log.warn({ source: name }, `${name} ${state}: ${source.status().lastError?.message ?? ''}`);
      } else {
        log.info({ source: name }, `${name} ${state}`);
      }
    }),
    ignoreElements(),
  );
}

/** One line now and then while connections are ended because there are too many. */
export function logCrowds(crowds: Observable<() => ConnectionsStatus>, log: Logger): Subscription {
  return crowds.pipe(throttleTime(limits.crowdedLogMs)).subscribe((status) => {
    const { max, holders } = status();
    log.warn(
      { holders },
      `there are ${max} connections, and for each more the oldest idle one is ended: ${holdersText(holders)}`,
    );
  });
}
