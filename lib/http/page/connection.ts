/**
 * The event stream in a browser: one EventSource at a time, which resumes where the last one was. The browser itself
 * reconnects (with Last-Event-ID) after a lost connection; after an error answer, silence or an overflow we do.
 */
import { reconnectDelayMs } from '../../client/backoff.js';
import { BadAnswerError } from '../../client/errors.js';
import { parseLine, type StreamEvent } from '../../client/events.js';
import { Mirror } from '../../client/mirror.js';

export type ConnectionState =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  /** `since` is when the last sign of life came, milliseconds since the epoch. */
  | { readonly state: 'lost'; readonly since: number };

/**
 * How a stream goes on: it is the first one, it resumed where the last one was lost, or the daemon was restarted and its
 * VMs were compared with the known ones.
 */
export type Reconnection = 'first' | 'resumed' | 'anew';

export interface ConnectionHandlers {
  /** Events, in order and without a gap. The first event is `ready`, with all VMs. */
  readonly onEvents: (events: readonly StreamEvent[]) => void;
  /** The stream is live (again); everything from in between has been delivered. */
  readonly onReady: (how: Reconnection, instance: string) => void;
  readonly onState: (state: ConnectionState) => void;
}

const heartbeatSeconds = 10;
/** After this long without a sign of life the connection counts as lost, whatever the browser thinks. */
const silenceMs = 3 * heartbeatSeconds * 1000;

export class EventsConnection {
  readonly #options: ConnectionHandlers;
  #mirror = new Mirror();
  #source: EventSource | undefined;
  #lastSign = Date.now();
  #failures = 0;
  #state: ConnectionState = { state: 'connecting' };
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionHandlers) {
    this.#options = options;
    this.#open();
    setInterval(() => {
      if (Date.now() - this.#lastSign > silenceMs && this.#state.state === 'live') this.#reopenSoon();
    }, 1_000);
  }

  /** Retries at once, without waiting. */
  retryNow(): void {
    if (this.#state.state === 'live') return;
    this.#failures = 0;
    this.#open();
  }

  #open(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    const parameters = new URLSearchParams({
      vms: 'array',
      heartbeat: String(heartbeatSeconds),
      ...this.#mirror.place,
    });
    const source = new EventSource(`/events?${parameters.toString()}`);
    this.#source = source;
    source.onmessage = ({ data }) => {
      this.#lastSign = Date.now();
      void this.#take(String(data));
    };
    source.onerror = () => {
      this.#lost();
      if (source.readyState === EventSource.CLOSED) this.#reopenSoon();
    };
  }

  async #take(text: string): Promise<void> {
    try {
      const line = parseLine(text);
      if (line === undefined) return;
      if (line.type === 'overflow') this.#reopenSoon();
      const how = !this.#mirror.ready ? 'first' : line.type === 'ready' && line.resumed ? 'resumed' : 'anew';
      this.#options.onEvents(this.#mirror.apply(line));
      if (line.type === 'ready') {
        this.#failures = 0;
        this.#options.onReady(how, line.instance ?? '');
        this.#set({ state: 'live' });
      }
      for (const zonename of this.#mirror.missing) await this.#askFor(zonename);
    } catch (error) {
      if (!(error instanceof BadAnswerError)) throw error;
      // Its data cannot be trusted: start over.
      this.#mirror = new Mirror();
      this.#reopenSoon();
    }
  }

  /** Whether a VM that a new snapshot lacks is gone, or just cannot be read at the moment. */
  async #askFor(zonename: string): Promise<void> {
    const answer = await fetch(`/vms/${encodeURIComponent(zonename)}`).catch(() => undefined);
    if (answer?.status === 404) this.#options.onEvents(this.#mirror.forget(zonename));
  }

  #lost(): void {
    if (this.#state.state === 'live') this.#set({ state: 'lost', since: this.#lastSign });
  }

  #reopenSoon(): void {
    this.#source?.close();
    this.#lost();
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#open();
    }, reconnectDelayMs(this.#failures++));
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.#options.onState(state);
  }
}
