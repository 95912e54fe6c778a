/**
 * The bytes that many ask for, made once: the `/vms` array and the `ready` snapshot per state, a VM's part of the
 * latter per version of the VM, an event's line per event.
 */
import type { Commit, Snapshot, StoredVm } from '../cache/vm-store.js';

/** All VMs of the current state as bytes. */
export interface SerialisedVms {
  /** The JSON array. */
  array(snapshot: Snapshot): Buffer;
  /** The JSON array as the content of a JSON string, without its quotes. */
  string(snapshot: Snapshot): Buffer;
}

/** Makes a place for the bytes of the current state. */
export function createSerialisedVms(): SerialisedVms {
  const escaped = new WeakMap<StoredVm, Buffer>();
  const escape = (stored: StoredVm) => {
    let bytes = escaped.get(stored);
    if (bytes === undefined) {
      bytes = Buffer.from(JSON.stringify(stored.bytes.toString()).slice(1, -1));
      escaped.set(stored, bytes);
    }
    return bytes;
  };
  return {
    array: perSnapshot(({ vms }) => joined([...vms.values()].map(({ bytes }) => bytes))),
    string: perSnapshot(({ vms }) => joined([...vms.values()].map(escape))),
  };
}

/** An event's line. The VM in it is the bytes at hand, not serialised again. */
export function eventLine({ event, stored }: Commit): Buffer {
  const { type, date, zonename, uuid, seq } = event;
  const head = JSON.stringify({ type, date, zonename, uuid, seq }).slice(0, -1);
  if (stored === undefined) return Buffer.from(`${head}}\n`);
  const changes = event.type === 'modify' ? `,"changes":${JSON.stringify(event.changes)}` : '';
  return Buffer.concat([Buffer.from(`${head},"vm":`), stored.bytes, Buffer.from(`${changes}}\n`)]);
}

function perSnapshot(make: (snapshot: Snapshot) => Buffer): (snapshot: Snapshot) => Buffer {
  let madeOf: Snapshot | undefined;
  let bytes: Buffer = Buffer.alloc(0);
  return (snapshot) => {
    if (madeOf !== snapshot) bytes = make(snapshot);
    madeOf = snapshot;
    return bytes;
  };
}

const comma = Buffer.from(',');

function joined(parts: readonly Buffer[]): Buffer {
  const separated = parts.flatMap((part, index) => (index === 0 ? [part] : [comma, part]));
  return Buffer.concat([Buffer.from('['), ...separated, Buffer.from(']')]);
}
