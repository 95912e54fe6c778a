/**
 * The inputs of a VM object: one type for each raw thing that is read from the host, as its parser leaves it.
 * Readers (lib/host) make them, assembly (assemble.ts) consumes them; nothing here knows where they came from.
 */
import type { JsonObject } from './json.js';
import type { ZoneConfig } from './zone-config.js';

/** The inputs of one zone that can be read on their own; sysinfo and datasets belong to no single zone. */
export type ZoneInput = 'record' | 'kstat' | ZoneFile;

/** An input of a zone that is a file. */
export type ZoneFile = 'xml' | 'metadata' | 'tags' | 'routes' | 'lastexited' | 'receiving';

/** The inputs that are files. */
export const zoneFiles: readonly ZoneFile[] = [
  'xml',
  'metadata',
  'tags',
  'routes',
  'lastexited',
  'receiving',
];

/** Every input of a zone. */
export const zoneInputs: readonly ZoneInput[] = ['record', 'kstat', ...zoneFiles];

/** Whether reading these inputs takes commands, and not only files. */
export function needsCommands(inputs: ReadonlySet<ZoneInput>): boolean {
  return inputs.has('record') || inputs.has('kstat');
}

/** One line of `zoneadm list -p`. */
export interface ZoneRecord {
  /** Kernel zone id; `null` unless the zone is ready or running. */
  readonly zoneid: number | null;
  readonly zonename: string;
  /** configured, incomplete, installed, ready, running, shutting_down, down or mounted. */
  readonly state: string;
  /** Absolute path; empty when zoneadm printed none. */
  readonly zonepath: string;
  readonly uuid: string;
  readonly brand: string;
  /** Debug id; `undefined` when zoneadm printed none. */
  readonly zonedid: number | undefined;
}

/** The `zone_misc` kstat of one zone. */
export interface ZoneKstat {
  readonly zonename: string;
  readonly zoneid: number;
  readonly initPid: number;
  readonly initRestarts: number;
  /** Seconds since the epoch; 0 while the zone is ready but not booted. */
  readonly bootTime: number;
}

/** A file's content, with what distinguishes its version. */
export interface FileInput<T> {
  readonly value: T;
  /** Milliseconds since the epoch, with a fraction. */
  readonly mtimeMs: number;
}

/** `lastexited`: when and how the zone halted. */
export interface LastExited {
  readonly seconds: number;
  /** The digits after the dot, read as an integer: `5.5000` is 5 s and 5000 µs. */
  readonly microseconds: number;
  /** Wait status of the zone's init, or -1. */
  readonly waitStatus: number;
}

/** The parts of sysinfo(8) that appear in VM objects, under sysinfo's own names. */
export interface Sysinfo {
  readonly UUID?: string;
  readonly 'Datacenter Name'?: string;
  readonly 'Live Image'?: string;
  readonly 'Headnode ID'?: string;
}

/** A snapshot of a dataset. */
export interface DatasetSnapshot {
  /** The part after the `@`. */
  readonly name: string;
  /** Creation, seconds since the epoch. */
  readonly createdAt: number;
  /** `written`, bytes. */
  readonly size: number;
  /** Number of holds. */
  readonly userrefs: number;
}

/** A filesystem or volume with its snapshots. Sizes in bytes; `undefined` where zfs printed `-` or no limit is set. */
export interface Dataset {
  readonly name: string;
  readonly type: 'filesystem' | 'volume';
  /** As zfs.ts resolves it: `/dev/zvol/rdsk/<name>` for a volume, `/<name>` for legacy or none given. */
  readonly mountpoint: string;
  readonly zoned: boolean;
  /** Creation, seconds since the epoch. */
  readonly creation: number;
  readonly compression: string;
  readonly quota: number | undefined;
  readonly refquota: number | undefined;
  readonly refreservation: number | undefined;
  readonly recsize: number | undefined;
  readonly usedBySnapshots: number | undefined;
  readonly volsize: number | undefined;
  readonly volblocksize: number | undefined;
  readonly filesystemLimit: number | undefined;
  readonly snapshotLimit: number | undefined;
  /** In the order zfs lists them. */
  readonly snapshots: readonly DatasetSnapshot[];
}

/** How assembly looks up known datasets. Both are O(1). */
export interface DatasetLookup {
  byName(name: string): Dataset | undefined;
  /** Datasets by mountpoint, as VM objects refer to them: without zoned datasets, `<pool>/<zone>/data`, and mountpoints that do not start with `/`. */
  byMountpoint(mountpoint: string): Dataset | undefined;
}

/** The type of each input of a zone. `undefined` is a valid value: no such zone, file or instance. */
export interface InputValues {
  readonly record: ZoneRecord | undefined;
  readonly kstat: ZoneKstat | undefined;
  readonly xml: FileInput<ZoneConfig> | undefined;
  readonly metadata: FileInput<JsonObject> | undefined;
  readonly tags: FileInput<JsonObject> | undefined;
  readonly routes: FileInput<JsonObject> | undefined;
  /** `value` is `undefined` while the file is not well formed (zoneadmd truncates it before it writes). */
  readonly lastexited: FileInput<LastExited | undefined> | undefined;
  /** `/etc/zones/<zone>-receiving.json`; only looked at while the state is `receiving`. */
  readonly receiving: JsonObject | undefined;
}

/** Everything that a VM object is made of. The record and the XML, without which a zone is no VM, are always present. */
export interface ZoneInputs extends InputValues {
  readonly record: ZoneRecord;
  readonly xml: FileInput<ZoneConfig>;
  readonly sysinfo: Sysinfo;
  readonly datasets: DatasetLookup;
}
