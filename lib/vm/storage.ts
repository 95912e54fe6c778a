/** What ZFS says about a VM: its root dataset, delegated dataset, disks and snapshots, and which datasets these are. */
import { memoised } from '../memoised.js';
import { isHvm } from './brand.js';
import { delegatedOf, poolOf } from './dataset-names.js';
import type { Dataset, DatasetSnapshot, ZoneInputs } from './inputs.js';
import { ownProperty } from './json.js';
import { merge } from './merge.js';
import { isoFromSeconds } from './time.js';
import { toMiB } from './value-types.js';
import type { Device, Disk, Missing, Snapshot, VmObject } from './vm-object.js';

type Storage = Partial<
  Pick<
    VmObject,
    | 'zfs_filesystem'
    | 'zpool'
    | 'quota'
    | 'create_timestamp'
    | 'zfs_root_compression'
    | 'zfs_root_recsize'
    | 'zfs_filesystem_limit'
    | 'zfs_snapshot_limit'
    | 'indestructible_zoneroot'
    | 'zfs_data_compression'
    | 'zfs_data_recsize'
    | 'indestructible_delegated'
    | 'disks'
    | 'free_space'
    | 'snapshots'
    | 'missing'
  >
>;

/**
 * The properties that come from ZFS, disks included. `state` is the VM's, not the zone's. Only the disks from the XML
 * while the zone is configured or incomplete and has no zonepath.
 */
export function fromZfs(inputs: ZoneInputs, state: string): Storage {
  const { record, xml, datasets } = inputs;
  const devices = xml.value.disks;
  if (record.zonepath === '' && (record.state === 'configured' || record.state === 'incomplete')) {
    return isHvm(record.brand) || devices.length > 0 ? { disks: devices } : {};
  }

  const root = rootOf(inputs, state);
  const volumes = devices.map((device) => volumeOf(device, inputs));
  const disks = devices.map((device, index) => toDisk(device, volumes[index]));
  return merge(
    root && fromRootName(root.name),
    root?.dataset && fromRoot(root.dataset, inputs),
    root && fromDelegated(datasets.byName(delegatedOf(root.name))),
    (isHvm(record.brand) || disks.length > 0) && { disks },
    record.brand === 'bhyve' && freeSpace(xml.value.properties.flexible_disk_size, volumes),
    { snapshots: root?.dataset ? vmSnapshots(root.dataset) : [] },
    state === 'receiving' && { missing: missing(inputs, root?.name, disks) },
  );
}

/**
 * The names of all datasets that a VM's object depends on, whether or not they exist yet: its root, its delegated dataset,
 * its disks' volumes, the datasets given to it. For an index from dataset to zone.
 */
export function datasetsOf(inputs: ZoneInputs): readonly string[] {
  const { record, xml, datasets, receiving } = inputs;
  const mounted = record.zonepath === '' ? undefined : datasets.byMountpoint(record.zonepath);
  const received = receiving && ownProperty(receiving, 'zfs_filesystem');

  const roots = new Set<string>();
  if (mounted) roots.add(mounted.name);
  else if (record.zonepath.length > 1) roots.add(record.zonepath.slice(1));
  if (typeof received === 'string' && received !== '') roots.add(received);

  const names = new Set(roots);
  for (const root of roots) names.add(delegatedOf(root));
  for (const { path } of xml.value.disks) {
    if (path?.startsWith(volumeDirectory)) names.add(path.slice(volumeDirectory.length));
  }
  for (const name of xml.value.datasets) names.add(name);
  return [...names];
}

const volumeDirectory = '/dev/zvol/rdsk/';

/** A root dataset; only its name is known while it is being received. */
interface Root {
  readonly name: string;
  readonly dataset: Dataset | undefined;
}

/** A dataset that is being received is not mounted yet; the file that vmadm puts beside the XML names it. */
function rootOf({ record, datasets, receiving }: ZoneInputs, state: string): Root | undefined {
  const mounted = record.zonepath === '' ? undefined : datasets.byMountpoint(record.zonepath);
  if (mounted) return { name: mounted.name, dataset: mounted };
  if (state !== 'receiving' || !receiving) return undefined;
  const name = ownProperty(receiving, 'zfs_filesystem');
  return typeof name === 'string' && name !== '' ? { name, dataset: datasets.byName(name) } : undefined;
}

function fromRootName(name: string): Storage {
  return { zfs_filesystem: name, zpool: poolOf(name) };
}

function fromRoot(dataset: Dataset, { record, xml }: ZoneInputs): Storage {
  const quota = record.brand === 'bhyve' ? dataset.refquota : dataset.quota;
  const created =
    xml.value.properties.create_timestamp === undefined ? isoFromSeconds(dataset.creation) : undefined;
  return {
    quota: toMiB(quota ?? 0) / 1024,
    ...(created !== undefined && { create_timestamp: created }),
    ...(dataset.compression !== 'off' && { zfs_root_compression: dataset.compression }),
    ...(dataset.recsize !== undefined && { zfs_root_recsize: dataset.recsize }),
    ...(dataset.filesystemLimit !== undefined && { zfs_filesystem_limit: dataset.filesystemLimit }),
    ...(dataset.snapshotLimit !== undefined && { zfs_snapshot_limit: dataset.snapshotLimit }),
    ...(isIndestructible(dataset) && { indestructible_zoneroot: true }),
  };
}

function fromDelegated(dataset: Dataset | undefined): Storage {
  if (!dataset) return {};
  return merge(
    dataset.compression !== 'off' && { zfs_data_compression: dataset.compression },
    dataset.recsize !== undefined && { zfs_data_recsize: dataset.recsize },
    isIndestructible(dataset) && { indestructible_delegated: true },
  );
}

function isIndestructible(dataset: Dataset): boolean {
  return dataset.snapshots.some(({ name, userrefs }) => name === 'indestructible' && userrefs > 0);
}

function volumeOf({ path }: Device, { datasets }: ZoneInputs): Dataset | undefined {
  const dataset = path === undefined ? undefined : datasets.byMountpoint(path);
  return dataset?.type === 'volume' ? dataset : undefined;
}

function toDisk(device: Device, volume: Dataset | undefined): Disk {
  if (!volume) return device.path === undefined ? device : merge(device, { missing: true });
  return merge(
    device,
    { zfs_filesystem: volume.name, zpool: poolOf(volume.name) },
    volume.volsize !== undefined && { size: toMiB(volume.volsize) },
    {
      compression: volume.compression,
      refreservation: Math.ceil(toMiB(volume.refreservation ?? 0)),
    },
    volume.volblocksize !== undefined && { block_size: volume.volblocksize },
  );
}

function freeSpace(flexibleMiB: number | undefined, volumes: readonly (Dataset | undefined)[]): Storage {
  if (flexibleMiB === undefined || !volumes.every((volume) => volume !== undefined)) return {};
  const bytes = volumes.reduce(
    (sum, { volsize = 0, usedBySnapshots = 0 }) => sum + volsize + usedBySnapshots,
    0,
  );
  return { free_space: Math.floor(flexibleMiB - toMiB(bytes)) };
}

const vmSnapshotPrefix = 'vmsnap-';

/** What was made of each snapshot: there may be thousands, and the same ones come again with every change of their VM. */
const shown = new WeakMap<DatasetSnapshot, Snapshot>();

/** What was last made of the snapshots that begin with this one. */
const shownLast = new WeakMap<DatasetSnapshot, ShownSnapshots>();

interface ShownSnapshots {
  readonly listed: readonly DatasetSnapshot[];
  readonly shown: readonly Snapshot[];
  /** When the first of `shown` was created. */
  readonly newestAt: number;
}

/**
 * Newest first; within the same second, the one that zfs lists last. The same array, and elements, for the same ones listed.
 * New ones are listed last: then only these are looked at.
 */
function vmSnapshots({ snapshots }: Dataset): readonly Snapshot[] {
  const [oldest] = snapshots;
  if (oldest === undefined) return [];
  const before = shownLast.get(oldest);
  if (before?.listed === snapshots) return before.shown;
  const isLonger = before?.listed.every((each, index) => each === snapshots[index]) === true;
  const news = newestFirst(isLonger ? snapshots.slice(before.listed.length) : snapshots);
  const isNewer = isLonger && news.every(({ createdAt }) => createdAt >= before.newestAt);
  const all = isLonger && !isNewer ? newestFirst(snapshots) : news;
  const made = all.map((each) => memoised(shown, each, vmSnapshot));
  const now = {
    listed: snapshots,
    shown: isNewer ? [...made, ...before.shown] : made,
    newestAt: all[0]?.createdAt ?? (isNewer ? before.newestAt : 0),
  };
  shownLast.set(oldest, now);
  return now.shown;
}

/** Those that vmadm made. zfs lists the oldest first, nearly always: sorting thousands that are in order takes milliseconds. */
function newestFirst(snapshots: readonly DatasetSnapshot[]): readonly DatasetSnapshot[] {
  const reversed = snapshots.filter(({ name }) => name.startsWith(vmSnapshotPrefix)).reverse();
  const isInOrder = reversed.every(
    (each, index) => each.createdAt <= (reversed[index - 1] ?? each).createdAt,
  );
  return isInOrder ? reversed : reversed.sort((a, b) => b.createdAt - a.createdAt);
}

function vmSnapshot({ name, size, createdAt }: DatasetSnapshot): Snapshot {
  const created = isoFromSeconds(createdAt);
  return {
    name: name.slice(vmSnapshotPrefix.length),
    size: toMiB(size),
    ...(created !== undefined && { created_at: created }),
  };
}

function missing(
  { record, xml, datasets }: ZoneInputs,
  root: string | undefined,
  disks: readonly Disk[],
): Missing {
  return {
    datasets: [
      root ?? record.zonepath.slice(1),
      ...xml.value.datasets.filter((name) => datasets.byName(name) === undefined),
    ],
    disks: disks.flatMap(({ path, missing }) => (missing && path !== undefined ? [path] : [])),
    filesystems: xml.value.filesystems.flatMap(({ source }) => (source === undefined ? [] : [source])),
  };
}
