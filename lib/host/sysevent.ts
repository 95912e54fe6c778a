/**
 * `sysevent -rj` prints one JSON object a line: `ready` once the subscription is live, or an event. This file only parses
 * the lines; lib/sources starts the command and watches its health.
 *
 * Format: SmartOS's sysevent(8); the ZFS history events as in test/fixtures/zfs/history-events.jsonl.
 */
import { errorTextMaxChars } from '../config.js';
import { isZonename } from './paths.js';

export const syseventCommand = '/usr/sbin/sysevent';

/** Subscribes to the states of zones. */
export const zoneSyseventArgs: readonly string[] = ['-rj', '-c', 'com.sun:zones:status'];

/** Subscribes to the history of all pools. */
export const zfsSyseventArgs: readonly string[] = ['-rj', 'EC_zfs', 'ESC_ZFS_history_event'];

/** The subscription is live: from here on, changes give events. */
export interface SyseventReady {
  readonly type: 'ready';
}

/** Something happened to a zone. The kernel says so before zoneadm shows it. */
export interface ZoneSysevent {
  readonly type: 'zone';
  readonly zonename: string;
  /** `status`, `init`, … */
  readonly class: string;
  readonly subclass: string;
  /** E.g. `running`; `''` when the zone was deleted. */
  readonly newstate?: string;
  readonly oldstate?: string;
  /** The number of the zone's kernel instance, if the event is about one. */
  readonly zoneid?: number;
}

/** Something happened to a dataset. */
export interface ZfsSysevent {
  readonly type: 'zfs';
  /** `history_internal_name`: `set`, `create`, `clone swap`, … */
  readonly action: string;
  /** A dataset or a snapshot. */
  readonly dataset: string;
  /** `history_internal_str`, e.g. `quota=1073741824` or `-> zones/new`. */
  readonly detail: string;
  readonly pool: string;
}

/** An event that does not concern us, and why. */
export interface IgnoredEvent {
  readonly type: 'ignored';
  readonly why: string;
}

export type Sysevent = SyseventReady | ZoneSysevent | ZfsSysevent | IgnoredEvent;

/** A line that sysevent should never print. */
export class SyseventError extends Error {
  override readonly name = 'SyseventError';
  /** The beginning of the line. */
  readonly line: string;

  constructor(problem: string, line: string, options?: { readonly cause: unknown }) {
    super(`sysevent: ${problem}: ${JSON.stringify(line.slice(0, 100))}`, options);
    this.line = line.slice(0, errorTextMaxChars);
  }
}

/**
 * Reads one line.
 *
 * @throws SyseventError when it is not an event at all.
 */
export function parseSysevent(line: string): Sysevent {
  const event = parseObject(line);
  if (event['type'] === 'ready') return { type: 'ready' };
  if (event['type'] !== 'event' || typeof event['class'] !== 'string') {
    throw new SyseventError('expected an event', line);
  }
  const data = isObject(event['data']) ? event['data'] : {};
  const subclass = text(event['subclass']) ?? '';
  return event['class'] === 'EC_zfs'
    ? zfsSysevent(subclass, data)
    : zoneSysevent(event['class'], subclass, data);
}

type Fields = Readonly<Record<string, unknown>>;

function zoneSysevent(eventClass: string, subclass: string, data: Fields): ZoneSysevent | IgnoredEvent {
  const zonename = text(data['zonename']);
  if (!zonename) return { type: 'ignored', why: `${eventClass} ${subclass} without a zonename` };
  if (!isZonename(zonename))
    return { type: 'ignored', why: `not the name of a zone: ${zonename.slice(0, 100)}` };
  const newstate = text(data['newstate']);
  const oldstate = text(data['oldstate']);
  const zoneid = data['zoneid'];
  return {
    type: 'zone',
    zonename,
    class: eventClass,
    subclass,
    ...(newstate !== undefined && { newstate }),
    ...(oldstate !== undefined && { oldstate }),
    ...(typeof zoneid === 'number' && zoneid > 0 && { zoneid }),
  };
}

function zfsSysevent(subclass: string, data: Fields): ZfsSysevent | IgnoredEvent {
  if (subclass !== 'ESC_ZFS_history_event') return { type: 'ignored', why: `EC_zfs ${subclass}` };
  const action = text(data['history_internal_name']);
  const dataset = text(data['history_dsname']);
  if (!action) return { type: 'ignored', why: 'a history event without an action' };
  if (!dataset) return { type: 'ignored', why: `${action} of a whole pool` };
  const pool = text(data['pool_name']) ?? dataset.split('/', 1)[0] ?? '';
  return { type: 'zfs', action, dataset, detail: text(data['history_internal_str']) ?? '', pool };
}

function parseObject(line: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new SyseventError('expected JSON', line, { cause });
  }
  if (!isObject(value)) throw new SyseventError('expected a JSON object', line);
  return value;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
