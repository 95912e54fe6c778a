/** What `/events` sends: first one ReadyEvent, then VmEvents, one JSON object a line. */
import type { Change } from './diff.js';
import type { VmObject } from './vm-object.js';

/** Which host an event is of, as VM objects name it: for who collects those of many. */
export interface HostNames {
  readonly server_uuid?: string;
  readonly datacenter_name?: string;
}

/** Just these of what has more. */
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

/** A VM is there: complete, as it was first seen. */
export interface VmCreateEvent extends VmEventBase {
  readonly type: 'create';
  readonly vm: VmObject;
}

/** A VM is different from before. */
export interface VmModifyEvent extends VmEventBase {
  readonly type: 'modify';
  /** The whole VM, as it is now. */
  readonly vm: VmObject;
  /** Never empty. */
  readonly changes: readonly Change[];
}

/** A VM is gone. */
export interface VmDeleteEvent extends VmEventBase {
  readonly type: 'delete';
  /** The whole VM, as it was last. The platform's daemon does not send it. */
  readonly vm?: VmObject;
}

/** A change of one VM, as consumers see it. */
export type VmEvent = VmCreateEvent | VmModifyEvent | VmDeleteEvent;

/** The first line of a stream: every later change follows. */
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
  /** Of the last event that `vms` has in it. */
  readonly seq?: number;
  /** Whether the stream goes on where `since` left off. Then there are no `vms`. */
  readonly resumed?: boolean;
}
