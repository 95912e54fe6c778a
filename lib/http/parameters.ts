/**
 * Parses the parameters of a request, and refuses invalid ones with a clear error. Pure, once RE2 is loaded for a query
 * with a `~` (patterns.ts).
 */
import {
  http as limits,
  listeners as listenerLimits,
  pastEventLimits as pastEventLimits,
} from '../config.js';
import { parseFields, type Fields } from '../vm/fields.js';
import { parseConditionsWith, toCondition, type Filter } from '../vm/conditions.js';
import { QueryError, type Selector } from '../vm/selector.js';
import { parsePaths } from '../vm/touches.js';
import { compilePattern } from './patterns.js';

/** A position in the stream of events: after the event `seq` of a daemon's run. */
export interface Position {
  readonly instance: string;
  readonly seq: number;
}

/** Which VMs, and which of their fields. */
export interface Selection {
  readonly filter: Filter;
  /** `undefined`: all of it. */
  readonly fields: Fields | undefined;
}

/** The parameters of `/vms`. */
export interface VmsParameters {
  /** `undefined`: every VM, whole. */
  readonly selection: Selection | undefined;
  readonly since: Position | undefined;
}

/** The parameters of `/vms/<zone>`. */
export interface VmParameters {
  /** Read it afresh first. */
  readonly sync: boolean;
  /** `undefined`: all of it. */
  readonly fields: Fields | undefined;
}

/** Types of events. */
export const eventTypes = ['create', 'modify', 'delete'] as const;
export type EventType = (typeof eventTypes)[number];

/** Which events, and which fields of their VMs. */
export interface EventSelection extends Selection {
  /** Empty: all types. */
  readonly types: readonly EventType[];
  /** The same as `fields`: other changes are not sent. */
  readonly fieldPaths: readonly Selector[] | undefined;
  /** The fields that a modify must touch; empty: any. */
  readonly paths: readonly Selector[];
  /** The same for the same selection. */
  readonly key: string;
}

/** The parameters of `/events`. */
export interface EventsParameters {
  /** `undefined`: every event, whole. */
  readonly selection: EventSelection | undefined;
  readonly vms: 'string' | 'array' | 'none';
  /** Every line names its host. */
  readonly host: boolean;
  /** `undefined`: no heartbeats. */
  readonly heartbeatMs: number | undefined;
  readonly since: Position | undefined;
}

/**
 * @param query What is after the `?`.
 * @throws QueryError
 */
export function parseVmsParameters(query: string): VmsParameters {
  if (query === '') return { selection: undefined, since: undefined };
  const { own, filters } = split(query, ['fields', 'since']);
  const fields = own.get('fields');
  const since = own.get('since');
  return {
    selection:
      filters.length === 0 && fields === undefined
        ? undefined
        : { filter: toFilter(filters), fields: fields === undefined ? undefined : parseFields(fields) },
    since: since === undefined ? undefined : parsePosition(since),
  };
}

/**
 * @param query What is after the `?`.
 * @throws QueryError
 */
export function parseVmParameters(query: string): VmParameters {
  if (query === '') return { sync: false, fields: undefined };
  const { own, filters } = split(query, ['sync', 'fields']);
  refuseFilters(filters);
  const fields = own.get('fields');
  return {
    sync: parseFlag('sync', own.get('sync') ?? 'false'),
    fields: fields === undefined ? undefined : parseFields(fields),
  };
}

/**
 * @param query What is after the `?`.
 * @throws QueryError
 */
export function parseEventsParameters(query: string): EventsParameters {
  if (query === '') return wholeStream;
  const { own, filters } = split(query, ['fields', 'since', 'type', 'path', 'vms', 'host', 'heartbeat']);
  const selecting = ['fields', 'type', 'path'].filter((key) => own.has(key));
  const fields = own.get('fields');
  const heartbeat = own.get('heartbeat');
  const since = own.get('since');
  return {
    selection:
      filters.length === 0 && selecting.length === 0
        ? undefined
        : {
            filter: toFilter(filters),
            fields: fields === undefined ? undefined : parseFields(fields),
            fieldPaths: fields === undefined ? undefined : parsePaths(fields),
            types: parseTypes(own.get('type')),
            paths: own.has('path') ? parsePaths(own.get('path') ?? '') : [],
            key: JSON.stringify([filters, selecting.map((key) => own.get(key) ?? ''), selecting]),
          },
    vms: parseShape(own.get('vms') ?? 'string'),
    host: parseFlag('host', own.get('host') ?? 'false'),
    heartbeatMs: heartbeat === undefined ? undefined : parseHeartbeat(heartbeat),
    since: since === undefined ? undefined : parsePosition(since),
  };
}

/** The parameters of `/changes`. */
export interface ChangesParameters {
  /** `undefined`: of all VMs. */
  readonly zonename: string | undefined;
  /** Empty: all types. */
  readonly types: readonly EventType[];
  /** The fields that must have changed; empty: any event, creates and deletes included. */
  readonly paths: readonly Selector[];
  /** How many events, at most. */
  readonly limit: number;
  /** Only events before the one with this `seq`. */
  readonly before: number;
  /** Whether to include the VMs. */
  readonly vm: boolean;
}

/**
 * @param query What is after the `?`.
 * @throws QueryError
 */
export function parseChangesParameters(query: string): ChangesParameters {
  const { own, filters } = split(query, ['zonename', 'type', 'path', 'limit', 'before', 'vm']);
  refuseFilters(filters);
  const { defaultLimit, maxLimit } = pastEventLimits;
  const path = own.get('path');
  const limit = own.get('limit');
  const before = own.get('before');
  if (limit !== undefined && !(/^\d{1,6}$/.test(limit) && Number(limit) > 0 && Number(limit) <= maxLimit)) {
    throw wrong('limit', `1 to ${maxLimit}`, limit);
  }
  if (before !== undefined && !/^\d{1,15}$/.test(before)) throw wrong('before', 'a seq', before);
  return {
    zonename: own.get('zonename'),
    types: parseTypes(own.get('type')),
    paths: path === undefined ? [] : parsePaths(path),
    limit: Number(limit ?? defaultLimit),
    before: Number(before ?? Number.POSITIVE_INFINITY),
    vm: parseFlag('vm', own.get('vm') ?? 'false'),
  };
}

/**
 * The parameters of a route that takes at most some flags, each `true` or `false`: the names of those that are true.
 *
 * @throws QueryError
 */
export function parseFlags(query: string, names: readonly string[]): ReadonlySet<string> {
  const flags = new Set<string>();
  if (query === '') return flags;
  const { own, filters } = split(query, names);
  refuseFilters(filters);
  for (const [name, value] of own) if (parseFlag(name, value)) flags.add(name);
  return flags;
}

/**
 * A position as `<instance>:<seq>`.
 *
 * @throws QueryError
 */
export function parsePosition(text: string): Position {
  const position = positionOf(text);
  if (position === undefined) throw wrong('since', '<instance>:<seq>', text);
  return position;
}

/** The same; `undefined` when it is no position of ours. */
export function positionOf(text: string): Position | undefined {
  const [, instance = '', seq = ''] = /^([\w-]{1,64}):(\d{1,15})$/.exec(text) ?? [];
  return seq === '' ? undefined : { instance, seq: Number(seq) };
}

const wholeStream: EventsParameters = {
  selection: undefined,
  vms: 'string',
  host: false,
  heartbeatMs: undefined,
  since: undefined,
};

function toFilter(entries: readonly (readonly [string, string])[]): Filter {
  return parseConditionsWith(compilePattern, entries.map(toCondition));
}

interface Split {
  readonly own: ReadonlyMap<string, string>;
  /** Whatever is not the route's own is a filter, or an error. */
  readonly filters: readonly (readonly [string, string])[];
}

function split(query: string, names: readonly string[]): Split {
  const own = new Map<string, string>();
  const filters: (readonly [string, string])[] = [];
  for (const [key, value] of new URLSearchParams(query)) {
    if (!names.includes(key)) filters.push([key, value]);
    else if (own.has(key)) throw new QueryError(`${key} is given twice`, [key]);
    else own.set(key, value);
  }
  if (filters.length > limits.maxConditions) {
    throw new QueryError(`more than ${limits.maxConditions} conditions`, []);
  }
  return { own, filters };
}

/** For a route without filters: any other parameter is unknown. */
function refuseFilters(filters: Split['filters']): void {
  const unknown = filters.map(([key]) => key);
  if (unknown.length > 0) throw new QueryError(`unknown parameter: ${unknown.join(', ')}`, unknown);
}

function parseFlag(name: string, value: string): boolean {
  if (value !== 'true' && value !== 'false') throw wrong(name, 'true or false', value);
  return value === 'true';
}

function parseTypes(text: string | undefined): readonly EventType[] {
  if (text === undefined) return [];
  return text.split(',').map((each) => {
    const type = eventTypes.find((known) => known === each);
    if (type === undefined) throw wrong('type', `some of ${eventTypes.join(', ')}`, each);
    return type;
  });
}

function parseShape(text: string): EventsParameters['vms'] {
  if (text === 'string' || text === 'array' || text === 'none') return text;
  throw wrong('vms', 'array, string or none', text);
}

function parseHeartbeat(text: string): number {
  const seconds = Number(text);
  const { maxHeartbeatSeconds } = listenerLimits;
  if (!/^\d{1,4}$/.test(text) || seconds < 1 || seconds > maxHeartbeatSeconds) {
    throw wrong('heartbeat', `1 to ${maxHeartbeatSeconds} seconds`, text);
  }
  return seconds * 1000;
}

function wrong(name: string, expected: string, got: string): QueryError {
  return new QueryError(`${name}: expected ${expected}, got ${JSON.stringify(got.slice(0, 100))}`, [name]);
}
