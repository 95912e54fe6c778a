/**
 * Sends commits to listeners: those of one turn of the event loop become one frame per group of listeners with the same
 * query, and one write for each listener. Listeners that do not see a commit cost nothing.
 */
import type { Commit } from '../cache/vm-store.js';
import type { HostNames } from '../vm/event.js';
import { frameOf, lineOf, type Format } from './frames.js';
import type { Listener, ListenerRequest } from './listener.js';
import type { EventSelection } from './parameters.js';
import { eventJson } from './view.js';

/** The listeners with the same query. */
export interface View {
  readonly format: Format;
  readonly selection: EventSelection | undefined;
  /** Whether its lines name the host. */
  readonly host: boolean;
  /** All of them. */
  readonly members: Set<Listener>;
  /** Those that have seen everything so far. */
  readonly live: Set<Listener>;
}

export interface FanOutOptions {
  readonly instance: string;
  /** The state that the first listeners have seen. */
  readonly seq: () => number;
  readonly host: () => HostNames;
  /** Called for each listener that has no room for a frame. */
  readonly full: (listener: Listener) => void;
  /** Called with commits whose lines have been written. */
  readonly written?: ((commits: readonly Commit[], bytes: number) => void) | undefined;
}

export class FanOut {
  readonly #options: FanOutOptions;
  readonly #views = new Map<string, View>();
  #pending: Commit[] = [];
  #seq: number | undefined;

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  /** The state that the live listeners have seen. */
  get seq(): number {
    return this.#seq ?? this.#options.seq();
  }

  /** Returns the listener's view, and makes it a member. */
  join(listener: Listener): View {
    const key = keyOf(listener.request);
    let view = this.#views.get(key);
    if (view === undefined) {
      const { format, parameters } = listener.request;
      const { selection, host } = parameters;
      view = { format, selection, host, members: new Set(), live: new Set() };
      this.#views.set(key, view);
    }
    view.members.add(listener);
    return view;
  }

  leave(listener: Listener, view: View): void {
    view.live.delete(listener);
    view.members.delete(listener);
    if (view.members.size === 0) this.#views.delete(keyOf(listener.request));
  }

  /** Takes in a commit. It is written when the turn ends, together with others. */
  add(commit: Commit): void {
    if (this.#pending.push(commit) > 1) return;
    queueMicrotask(() => {
      this.flush();
    });
  }

  /** Writes pending commits. */
  flush(): void {
    const commits = this.#pending;
    const last = commits.at(-1);
    if (last === undefined) return;
    this.#pending = [];
    this.#seq ??= (commits[0]?.seq ?? last.seq) - 1;
    let bytes = 0;
    for (const view of this.#views.values()) {
      if (view.live.size === 0) continue;
      const lines = this.lines(view, commits);
      if (lines.length === 0) continue;
      const frame = frameOf(lines);
      for (const listener of view.live) {
        if (listener.write(frame)) bytes += frame.length;
        else this.#options.full(listener);
      }
    }
    this.#seq = last.seq;
    this.#options.written?.(commits, bytes);
  }

  /** The lines of commits as seen in a view, in parts. */
  lines(view: View, commits: readonly Commit[]): readonly Buffer[] {
    const host = view.host ? this.#options.host() : undefined;
    return commits.flatMap((commit) => {
      const json = eventJson(commit, view.selection, host);
      return json === undefined ? [] : lineOf(view.format, `${this.#options.instance}:${commit.seq}`, json);
    });
  }
}

function keyOf({ format, parameters: { selection, host } }: ListenerRequest): string {
  return `${format} ${host} ${selection?.key ?? ''}`;
}
