/**
 * Bytes that many clients ask for, made once: the `/vms` array, plain and compressed, and the `ready` snapshot, per
 * state; a VM's part of the latter, per version of the VM. Work that takes long with many VMs is done in slices.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { eachInSlices } from '../slices.js';
import type { CacheSnapshot, StoredVm } from '../cache/vm-store.js';
import { http as limits } from '../config.js';
import { memoised } from '../memoised.js';
import { matches } from '../vm/conditions.js';
import type { Selection } from './parameters.js';
import { viewOf } from './view.js';

/** All VMs of the current state as bytes. */
export interface SerialisedVms {
  /** The JSON array. */
  array(snapshot: CacheSnapshot): Buffer;
  /** The JSON array, compressed. */
  gzipped(snapshot: CacheSnapshot): Promise<Buffer>;
  /** The JSON array as the content of a JSON string, without its quotes. */
  string(snapshot: CacheSnapshot): Buffer;
  /** Prepares `string`, whose first call takes long. */
  prepareString(snapshot: CacheSnapshot): Promise<void>;
  /**
   * Makes copies for single clients, one after the other: at the same time, each would take memory, and a slice of every
   * turn of the event loop.
   */
  inTurn<T>(make: () => Promise<T>): Promise<T>;
}

/** Creates the store of the current state's bytes. */
export function createSerialisedVms(): SerialisedVms {
  /** By part: versions of a VM share the big ones. */
  const escapedParts = new WeakMap<Buffer, Buffer>();
  const escape = (part: Buffer) => memoised(escapedParts, part, escaped);
  let last: Promise<unknown> = Promise.resolve();
  const array = perSnapshot(({ vms }) => joined([...vms.values()].map(({ bytes }) => bytes)));
  return {
    array,
    gzipped: perSnapshot((snapshot) => compress(array(snapshot), { level: limits.gzipLevel })),
    string: perSnapshot(({ vms }) => joined([...vms.values()].map(({ bytes }) => bytes.map(escape)))),
    prepareString: async ({ vms }) => {
      const raw = [...vms.values()].flatMap(({ bytes }) => bytes).filter((part) => !escapedParts.has(part));
      await eachInSlices(raw, 1, (part) => void escape(part));
    },
    inTurn: (make) => {
      const made = last.then(make);
      last = made.catch(() => undefined); // The caller gets the error.
      return made;
    },
  };
}

/** The JSON array of the VMs that match, as selected. `encode` transforms the JSON of each, in parts, before it is inserted. */
export async function selectVms(
  vms: Iterable<StoredVm>,
  selection: Selection,
  encode: (parts: readonly Buffer[], stored: StoredVm) => readonly Buffer[] = (parts) => parts,
): Promise<Buffer> {
  const parts: (readonly Buffer[])[] = [];
  await eachInSlices(vms, 1, (stored) => {
    if (matches(selection.filter, stored.vm)) parts.push(encode(viewOf(stored, selection), stored));
    return undefined;
  });
  return joined(parts);
}

/** A JSON array from values that are already JSON, in parts. */
function joined(values: readonly (readonly Buffer[])[]): Buffer {
  const separated = values.flatMap((parts, index) => (index === 0 ? parts : [comma, ...parts]));
  return Buffer.concat([open, ...separated, close]);
}

/** Parts of a text as the content of a JSON string, without its quotes. */
export function escapedInParts(parts: readonly Buffer[]): readonly Buffer[] {
  return parts.map(escaped);
}

function escaped(text: Buffer): Buffer {
  return Buffer.from(JSON.stringify(text.toString()).slice(1, -1));
}

/** Makes it once for each state, and keeps it no longer than that state is kept: it takes megabytes. */
function perSnapshot<T extends object>(make: (snapshot: CacheSnapshot) => T): (snapshot: CacheSnapshot) => T {
  const known = new WeakMap<CacheSnapshot, T>();
  return (snapshot) => memoised(known, snapshot, make);
}

const compress = promisify(gzip);
const comma = Buffer.from(',');
const open = Buffer.from('[');
const close = Buffer.from(']');
