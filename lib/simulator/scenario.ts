/**
 * A hypervisor as it is found in the field: a pool with its system datasets and images, and VMs of every kind, all
 * determined by the seed. Written straight to disk as a finished state; nothing is posted.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstCounters, writeCounters } from './counters.js';
import type { Paths } from './paths.js';
import { createRandom, type Random } from './random.js';
import { isHardware, planVm, vmKinds, type HostFacts, type VmPlan } from './vm-profile.js';
import { renderZonecfg } from './zonecfg-xml.js';
import { volumeReservation, type PropertyValue } from './zfs-properties.js';
import { ZfsStore, type SimulatedDataset, type SimulatedSnapshot } from './zfs-store.js';
import type { Zone, ZoneStore } from './zone-store.js';

/** How to make a scenario. */
export interface ScenarioOptions {
  /** How many VMs (default 12). */
  readonly vms?: number;
  /** Determines everything but the present time (default 1). */
  readonly seed?: number;
  /** Gives one VM a zonename that is not its UUID. */
  readonly oddName?: boolean;
}

const pool = 'zones';
const GiB = 2 ** 30;
const MiB = 2 ** 20;
/** When the pool was made, in seconds since the epoch: 2026-01-01. */
const epoch = 1767225600;

/** What the VMs of the host with this seed share. */
export function hostFacts(seed: number): HostFacts {
  const random = createRandom(seed ^ 0x5eed);
  const some = (count: number): string[] => Array.from({ length: count }, () => random.uuid());
  return { pool, images: some(3), owners: some(4), packages: some(3), networks: some(4) };
}

/** Writes the scenario into a bare tree. */
export function writeScenario(paths: Paths, zones: ZoneStore, options: ScenarioOptions = {}): void {
  const { vms = 12, seed = 1, oddName = false } = options;
  const random = createRandom(seed);
  const facts = hostFacts(seed);
  const counters = { ...firstCounters, zoneid: vms + 1, debugid: vms + 1, pid: firstCounters.pid + vms };
  writeFileSync(paths.seed, String(seed));
  const builder = new PoolBuilder(paths, random);
  builder.system(facts);
  zones.addGlobal(epoch);
  writeSysinfo(paths, random);
  const written: Zone[] = [];
  for (let number = 1; number <= vms; number++) {
    const kind = vmKinds[(number - 1) % vmKinds.length] ?? 'joyent-minimal';
    const odd = oddName && number === vms ? { zonename: 'build-zone' } : {};
    const plan = planVm({ random, facts, kind, number, debugid: number, ...odd });
    // The first twelve run, all but two; later on one in seven is stopped.
    const running = vms <= 12 ? number !== 4 && number !== 11 : number % 7 !== 4;
    written.push(writeZone(paths, zones, plan, { number, running, random }));
    builder.vm(plan);
  }
  zones.writeIndex(written);
  builder.finish();
  writeCounters(paths, { ...counters, dsid: builder.dsid, txg: builder.txg });
}

/** The files of a VM, as text by path relative to its zonepath. */
export function configFiles(plan: VmPlan): Readonly<Record<string, string>> {
  const text = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
  return {
    'config/metadata.json': text(plan.metadata),
    'config/tags.json': text(plan.tags),
    'config/routes.json': text(plan.routes),
  };
}

function writeZone(
  paths: Paths,
  zones: ZoneStore,
  plan: VmPlan,
  { number, running, random }: { number: number; running: boolean; random: Random },
): Zone {
  const { zonename, uuid, config } = plan;
  const zone: Zone = {
    zonename,
    uuid,
    zonepath: config.zonepath,
    state: running ? 'running' : 'installed',
    zoneid: running ? number : null,
    initPid: running ? firstCounters.pid + number : 0,
    initRestarts: 0,
    bootTime: running ? epoch + 86_400 * 200 + number : 0,
    config,
  };
  zones.add(zone);
  writeFileSync(paths.zoneXml(zonename), renderZonecfg(config));
  const directory = paths.inTree(config.zonepath);
  mkdirSync(join(directory, 'config'), { recursive: true });
  const files: Record<string, string> = { ...configFiles(plan) };
  if (!running) {
    const status = random.pick([0, 0, 256, 9, -1]);
    files['lastexited'] = `${epoch + 86_400 * 100 + number}.${random.integer(0, 999_999)} ${status}\n`;
  }
  const mtimeMs = Date.now();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  // What a rollback to one of the snapshots that the VM begins with brings back (zfs-files.ts).
  const saved = Object.entries(files).map(([name, text]) => [name, { text, mtimeMs }] as const);
  writeFileSync(paths.savedFiles(`zone-${zonename}`), JSON.stringify(Object.fromEntries(saved)));
  return zone;
}

function writeSysinfo(paths: Paths, random: Random): void {
  const sysinfo = {
    'Live Image': '20261112T000000Z',
    'System Type': 'SunOS',
    'Boot Time': String(epoch),
    'Datacenter Name': 'emy-17',
    'SDC Version': '7.0',
    Manufacturer: 'Joyent',
    Product: 'Simulated Global Zone',
    UUID: random.uuid(),
    Hostname: 'gz',
    'Headnode ID': 'headnode0',
    'CPU Total Cores': 32,
    'MiB of Memory': '131072',
    Zpool: pool,
  };
  writeFileSync(paths.sysinfo, `${JSON.stringify(sysinfo, null, 2)}\n`);
}

/** Makes datasets with ids, transaction groups and times as if they had been made one after the other. */
class PoolBuilder {
  readonly #store: ZfsStore;
  readonly #random: Random;
  dsid = firstCounters.dsid;
  txg = firstCounters.txg;

  constructor(paths: Paths, random: Random) {
    this.#store = new ZfsStore(paths);
    this.#random = random;
  }

  finish(): void {
    this.#store.commit();
  }

  system({ images }: HostFacts): void {
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
    root.written = random.integer(1, 4000) * 4096;
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
