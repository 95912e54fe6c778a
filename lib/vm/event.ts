/** What `/events` sends: first one ReadyEvent, then VmEvents, one JSON object a line. */
import type { Change } from './diff.js';
import type { VmObject } from './vm-object.js';

/** Which host an event is from, as VM objects name it: for consumers of many hosts. */
export interface HostNames {
  readonly server_uuid?: string;
  readonly datacenter_name?: string;
}

/** Picks just these properties. */
export function hostNames({ server_uuid, datacenter_name }: HostNames): HostNames {
  return {
    ...(server_uuid !== undefined && { server_uuid }),
    ...(datacenter_name !== undefined && { datacenter_name }),
  };
}

interface VmEventBase extends HostNames {
  /** When the change was seen; ISO. */
  readonly date: string;
  readonly zonename: string;
  readonly uuid: string;
  /** 1, 2, 3 … from the daemon's start. */
  readonly seq?: number;
}

/** A new VM, complete, as it was first seen. */
export interface VmCreateEvent extends VmEventBase {
  readonly type: 'create';
  readonly vm: VmObject;
}

/** A VM has changed. */
export interface VmModifyEvent extends VmEventBase {
  readonly type: 'modify';
  /** The whole VM, as it is now. */
  readonly vm: VmObject;
  /** Never empty. */
  readonly changes: readonly Change[];
}

/** A VM has been deleted. */
export interface VmDeleteEvent extends VmEventBase {
  readonly type: 'delete';
  /** The whole VM, as it last was. The platform's daemon does not send it. */
  readonly vm?: VmObject;
}

/** A change of one VM, as consumers see it. */
export type VmEvent = VmCreateEvent | VmModifyEvent | VmDeleteEvent;

/** The first line of a stream; every later change follows. */
export interface ReadyMessage extends HostNames {
  readonly type: 'ready';
  /** ISO. */
  readonly date: string;
  /** The listener's UUID, as `/status` shows it. */
  readonly uuid: string;
  /** All VMs: a JSON array as text. */
  readonly vms?: string;
  /** A UUID per start of the daemon: `seq` counts within it. */
  readonly instance?: string;
  /** The `seq` of the last event included in `vms`. */
  readonly seq?: number;
  /** Whether the stream resumes at `since`. Then there are no `vms`. */
  readonly resumed?: boolean;
}
