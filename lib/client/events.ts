/**
 * The lines of an event stream, as they are on the wire and as a consumer of the client sees them.
 * `seq` and `instance` are absent from a daemon that cannot resume, heartbeats do not come from it.
 */
import type { HostNames, VmEvent } from '../vm/event.js';
import type { VmObject } from '../vm/vm-object.js';
import { BadAnswerError } from './errors.js';
import { parseJson } from './parse-json.js';

/** The first event: every VM as it is now; each later change follows. */
export interface ReadyEvent extends HostNames {
  readonly type: 'ready';
  /** ISO. */
  readonly date: string;
  /** The listener's id, as `/status` shows it. */
  readonly uuid: string;
  readonly vms: readonly VmObject[];
}

/** What `client.events()` yields: one `ready`, then changes. */
export type StreamEvent = ReadyEvent | VmEvent;

/** A `ready` line: after a resume it has no `vms`. */
export interface ReadyLine extends Omit<ReadyEvent, 'vms'> {
  readonly seq?: number;
  readonly instance?: string;
  readonly resumed?: boolean;
  readonly vms?: readonly VmObject[];
}

export interface HeartbeatLine {
  readonly type: 'heartbeat';
  readonly seq: number;
}

/** The daemon's last word to a listener that did not read: where to resume. */
export interface OverflowLine {
  readonly type: 'overflow';
  readonly since: string;
}

export type Line = ReadyLine | VmEvent | HeartbeatLine | OverflowLine;

/**
 * One line of the stream; a type this client does not know is `undefined`, so that a newer daemon may add types.
 * @throws BadAnswerError for what is not an event at all.
 */
export function parseLine(text: string): Line | undefined {
  const line = parseObject(text);
  switch (line['type']) {
    case 'ready':
      return { ...line, vms: readyVms(line['vms']) } as ReadyLine;
    case 'create':
    case 'modify':
    case 'delete':
    case 'heartbeat':
    case 'overflow':
      return line as unknown as Line;
    default:
      return undefined;
  }
}

/** A `ready` carries its VMs as an array, as the text of one, or (resumed) not at all. */
function readyVms(vms: unknown): unknown {
  return typeof vms === 'string' ? parseJson(vms, 'the vms of a ready line') : vms;
}

function parseObject(text: string): Record<string, unknown> {
  const value = parseJson(text, 'an event line');
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  throw new BadAnswerError(`an event line is not an object: ${JSON.stringify(text.slice(0, 80))}`);
}
