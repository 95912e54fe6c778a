/**
 * Changes to VMs as operators make them, prepared in advance up to the one step that makes them happen (the rename, the
 * sysevent), so that measuring begins there.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { historyLine, zoneStatusLine, type SimulatedHost } from '../../lib/simulator/index.js';
import type { VmEvent } from '../../lib/vm/event.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import type { EventStream } from './event-stream.js';

/** alias: zone XML. tag: JSON file. quota: ZFS event. state: zone event. */
export const changeKinds = ['alias', 'tag', 'quota', 'state'] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** A change that only has to be made. */
export interface Change {
  readonly zonename: string;
  make(): void;
  /** Whether this event shows it. */
  fits(event: VmEvent): boolean;
  /** Whether it was seen before it was made. Then there is nothing to measure. */
  cameEarly?(): boolean;
}

let number = 0;

/** Prepares a change of a VM; one to its state needs the stream, as the VM is stopped first, and seen to be. */
export function prepare(
  kind: ChangeKind,
  host: SimulatedHost,
  vm: VmObject,
  stream: EventStream,
): Promise<Change> | Change {
  switch (kind) {
    case 'alias':
      return aliasChange(host, vm);
    case 'tag':
      return tagChange(host, vm);
    case 'quota':
      return quotaChange(host, vm);
    case 'state':
      return stateChange(host, vm, stream);
  }
}

/** A new alias: the zone XML is replaced by rename. */
export function aliasChange(host: SimulatedHost, { zonename }: VmObject): Change {
  const alias = `bench-${number++}`;
  const path = host.xmlFile(zonename);
  const value = Buffer.from(alias).toString('base64');
  const text = readFileSync(path, 'utf8').replace(/(name="alias"[^>]*? value=")[^"]*/, `$1${value}`);
  return replacement(path, text, zonename, (vm) => vm.alias === alias);
}

/** A new value of a tag: the tags file is replaced by rename. */
export function tagChange(host: SimulatedHost, { zonename }: VmObject): Change {
  const value = number++;
  const text = JSON.stringify({ role: 'bench', bench: value });
  return replacement(
    host.configFile(zonename, 'tags'),
    text,
    zonename,
    ({ tags }) => tags['bench'] === value,
  );
}

/** A new quota: the dataset already has it; the ZFS event remains to be posted. */
export async function quotaChange(host: SimulatedHost, vm: VmObject): Promise<Change> {
  const { lines, ...change } = await quotaSet(host, vm);
  return {
    ...change,
    make: () => {
      host.postEvents('zfs', lines);
    },
  };
}

/** A quota that is set, and the lines of the events that are still to be posted. */
export async function quotaSet(
  host: SimulatedHost,
  { zonename, brand, zfs_filesystem }: VmObject,
): Promise<Omit<Change, 'make'> & { readonly lines: readonly string[] }> {
  const quota = 10 + number++;
  const property = brand === 'bhyve' ? 'refquota' : 'quota';
  host.dropEvents({ zfs: true });
  const events = await host.zfs('set', `${property}=${quota}g`, zfs_filesystem ?? '');
  host.dropEvents({ zfs: false });
  return {
    zonename,
    fits: (event) => event.zonename === zonename && 'vm' in event && event.vm.quota === quota,
    lines: events.map(historyLine),
  };
}

/** A new snapshot of a VM's root: it already exists; the ZFS event remains to be posted. */
export async function snapshotChange(host: SimulatedHost, { zonename }: VmObject): Promise<Change> {
  const name = `new-${number++}`;
  host.dropEvents({ zfs: true });
  const events = await host.zfs('snapshot', `zones/${zonename}@vmsnap-${name}`);
  host.dropEvents({ zfs: false });
  return {
    zonename,
    fits: (event) =>
      event.type === 'modify' &&
      event.zonename === zonename &&
      event.vm.snapshots?.some((snapshot) => snapshot.name === name) === true,
    make: () => {
      host.postEvents('zfs', events.map(historyLine));
    },
  };
}

/**
 * A zone that starts: it already runs; the zone event remains to be posted. The daemon may see it early, while still
 * rereading the zone because of its stop.
 */
export async function stateChange(
  host: SimulatedHost,
  { zonename }: VmObject,
  stream: EventStream,
): Promise<Change> {
  const is = (state: string) => (event: VmEvent) =>
    event.zonename === zonename && 'vm' in event && event.vm.state === state;
  const stopped = stream.until(is('stopped'));
  await host.stop(zonename);
  await stopped;
  let early = false;
  const stopLooking = stream.each((event) => {
    early ||= is('running')(event);
  });
  host.dropEvents({ zones: true });
  await host.start(zonename);
  host.dropEvents({ zones: false });
  const { zoneid } = host.zone(zonename);
  const running = { publisher: 'kernel', zonename, newstate: 'running', oldstate: 'ready' } as const;
  const line = zoneStatusLine({ ...running, zoneid: zoneid ?? -1 });
  return {
    zonename,
    fits: is('running'),
    cameEarly: () => {
      stopLooking();
      return early;
    },
    make: () => {
      host.postEvents('zones', [line]);
    },
  };
}

function replacement(path: string, text: string, zonename: string, shows: (vm: VmObject) => boolean): Change {
  const temporary = `${path}.bench`;
  writeFileSync(temporary, text);
  return {
    zonename,
    fits: (event) => event.zonename === zonename && 'vm' in event && shows(event.vm),
    make: () => {
      renameSync(temporary, path);
    },
  };
}
