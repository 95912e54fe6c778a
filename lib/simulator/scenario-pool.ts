/**
 * The datasets of a scenario: those of the system, the images, and those of VMs, as if they had been made one after the
 * other.
 */
import { firstCounters } from './counters.js';
import type { Paths } from './paths.js';
import type { Random } from './random.js';
import { isHardware } from './vm-kinds.js';
import type { HostPlan, VmPlan } from './vm-plan.js';
import { volumeReservation, type PropertyValue } from './zfs-properties.js';
import { ZfsStore, type SimulatedDataset, type SimulatedSnapshot } from './zfs-store.js';

/** The one pool of the host. */
export const pool = 'zones';

/** When the host was set up, in seconds since the epoch: 2026-01-01. */
export const epoch = 1767225600;

const GiB = 2 ** 30;
const MiB = 2 ** 20;

/** Makes datasets with ids, transaction groups and times as if they had been made one after the other. */
export class PoolBuilder {
  readonly #store: ZfsStore;
  readonly #random: Random;
  /** The next object number to hand out. */
  dsid = firstCounters.dsid;
  /** The last transaction group. */
  txg = firstCounters.txg;

  constructor(paths: Paths, random: Random) {
    this.#store = new ZfsStore(paths);
    this.#random = random;
  }

  /** Writes all that was made. */
  finish(): void {
    this.#store.commit();
  }

  /** Makes the pool, its system datasets and the images. */
  system({ images }: HostPlan): void {
    this.#add(pool, { compression: 'lz4' });
    for (const image of images) {
      this.#snapshot(this.#add(`${pool}/${image}`, { compression: 'gzip' }, 400 * MiB), 'final');
      const disk = { volsize: 10 * GiB, volblocksize: 8192 };
      this.#snapshot(this.#addVolume(`${pool}/${image}/disk0`, disk, 900 * MiB), 'final');
    }
    this.#add(`${pool}/cores`, { mountpoint: 'none', compression: 'gzip' });
    this.#add(`${pool}/cores/global`, { quota: 10 * GiB, mountpoint: `/${pool}/global/cores` });
    this.#add(`${pool}/var`, { mountpoint: 'legacy' });
    this.#addVolume(`${pool}/swap`, {
      volsize: 8 * GiB,
      volblocksize: 8192,
      refreservation: volumeReservation(8 * GiB, 8192),
    });
  }

  /** Makes a VM's datasets, with snapshots. */
  vm(plan: VmPlan): void {
    const random = this.#random;
    const name = `${pool}/${plan.zonename}`;
    const hardware = isHardware(plan.kind);
    const quota = plan.quotaGiB * GiB;
    const limits = random.chance(0.1) ? { filesystem_limit: 100, snapshot_limit: 200 } : {};
    const root = hardware
      ? this.#add(name, plan.config.brand === 'bhyve' ? { quota, refquota: 10 * GiB } : { quota })
      : this.#clone(name, `${pool}/${plan.imageUuid}`, { quota, ...limits, ...this.#ownCompression() });
    for (let index = random.pick([0, 0, 1, 2, 4, 8]); index > 0; index--) {
      root.written = random.integer(1, 400) * 4096;
      this.#snapshot(root, index % 3 === 0 ? `daily-${index}` : `vmsnap-backup${index}`, plan.zonename);
    }
    root.written = random.integer(1, 4000) * MiB;
    if (random.chance(0.15))
      this.#snapshot(root, 'indestructible', plan.zonename).holds.push('do_not_destroy');
    for (const { dataset, size, fromImage } of plan.disks) this.#disk(plan, dataset, size, fromImage);
    for (const delegated of plan.delegated) {
      const data = this.#add(`${name}/${delegated}`, {
        zoned: 'on',
        recordsize: random.pick([131072, 16384]),
      });
      for (const child of ['pg', 'pg/wal', 'backup']) this.#add(`${data.name}/${child}`, {});
      this.#snapshot(data, 'hourly-1');
      if (random.chance(0.3)) this.#snapshot(data, 'indestructible').holds.push('do_not_destroy');
    }
    this.#store.put(root);
  }

  #disk(plan: VmPlan, name: string, size: number, fromImage: boolean): void {
    const random = this.#random;
    if (fromImage) {
      const properties = { volsize: size, volblocksize: 8192, refreservation: size };
      const disk = this.#clone(name, `${pool}/${plan.imageUuid}/disk0`, properties, 'volume');
      if (random.chance(0.4)) this.#snapshot(disk, 'vmsnap-backup1');
      return;
    }
    const sparse = random.chance(0.3);
    const refreservation = sparse ? {} : { refreservation: volumeReservation(size, 8192) };
    this.#addVolume(name, {
      volsize: size,
      volblocksize: 8192,
      ...refreservation,
      ...this.#ownCompression(),
    });
  }

  #ownCompression(): Record<string, PropertyValue> {
    return this.#random.chance(0.2) ? { compression: this.#random.pick(['off', 'gzip', 'lz4']) } : {};
  }

  #add(
    name: string,
    properties: Record<string, PropertyValue>,
    written = 24576,
    type: SimulatedDataset['type'] = 'filesystem',
  ): SimulatedDataset {
    const dataset: SimulatedDataset = {
      ...{ name, type, ...this.#born(), properties, written },
      ...{ usedBySnapshots: 0, snapshots: [], bookmarks: [] },
    };
    this.#store.put(dataset);
    return dataset;
  }

  #addVolume(name: string, properties: Record<string, PropertyValue>, written = 12288): SimulatedDataset {
    return this.#add(name, properties, written, 'volume');
  }

  #clone(
    name: string,
    source: string,
    properties: Record<string, PropertyValue>,
    type: SimulatedDataset['type'] = 'filesystem',
  ): SimulatedDataset {
    const dataset = this.#add(name, properties, 0, type);
    const image = this.#store.find(source);
    image?.snapshots[0]?.clones.push(name);
    dataset.origin = `${source}@final`;
    return dataset;
  }

  #snapshot(dataset: SimulatedDataset, name: string, zonename?: string): SimulatedSnapshot {
    const { volsize } = dataset.properties;
    const snapshot: SimulatedSnapshot = {
      ...{ name, ...this.#born(), written: dataset.written, holds: [], clones: [], properties: {} },
      ...(typeof volsize === 'number' ? { volsize } : {}),
      ...(zonename === undefined ? {} : { files: `zone-${zonename}` }),
    };
    dataset.snapshots.push(snapshot);
    dataset.usedBySnapshots += Math.floor(dataset.written / 2);
    dataset.written = 0;
    return snapshot;
  }

  #born(): { id: number; txg: number; creation: number } {
    this.txg += 1;
    return { id: this.dsid++, txg: this.txg, creation: epoch + this.txg * 60 };
  }
}
