/**
 * A source's health, for `/status` and the log. Sources only report here; nothing is decided here.
 */
import { BehaviorSubject, type Observable } from 'rxjs';
import type { SourceName } from './invalidation.js';

/** `starting` until first live · `running` · `restarting` after a failure · `degraded` when it polls. */
export type SourceState = 'starting' | 'running' | 'restarting' | 'degraded';

/** What `/status` shows of a source. */
export interface SourceStatus {
  readonly name: SourceName;
  readonly state: SourceState;
  /** When it entered this state, ISO. */
  readonly since: string;
  /** How often it was replaced since the daemon started. */
  readonly restarts: number;
  /** Events received since the daemon started. */
  readonly events: number;
  readonly lastError: { readonly message: string; readonly time: string } | null;
}

/** The health of one source, and the methods by which the source reports it. */
export interface SourceHealth {
  readonly name: SourceName;
  readonly state: Observable<SourceState>;
  status(): SourceStatus;
  /** It is live. */
  running(): void;
  /** It broke and will be replaced. */
  restarting(error: Error): void;
  /** It works, but worse than it should. */
  degraded(error: Error): void;
  /** It delivered an event. */
  event(): void;
}

/** A new source's health: `starting`. */
export function createSourceHealth(name: SourceName): SourceHealth {
  const state = new BehaviorSubject<SourceState>('starting');
  let since = new Date();
  let restarts = 0;
  let events = 0;
  let lastError: SourceStatus['lastError'] = null;

  const enter = (next: SourceState, error?: Error) => {
    if (error !== undefined) lastError = { message: error.message, time: new Date().toISOString() };
    if (next !== state.value) since = new Date();
    state.next(next);
  };

  return {
    name,
    state: state.asObservable(),
    status: () => ({ name, state: state.value, since: since.toISOString(), restarts, events, lastError }),
    running: () => {
      enter('running');
    },
    restarting: (error) => {
      restarts++;
      enter('restarting', error);
    },
    degraded: (error) => {
      enter('degraded', error);
    },
    event: () => {
      events++;
    },
  };
}
