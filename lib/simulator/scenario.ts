/**
 * A realistic hypervisor: a pool with its system datasets and images, and VMs of every kind, all determined by the seed.
 * Written straight to disk as a finished state; nothing is posted.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstCounters, writeCounters } from './counters.js';
import type { Paths } from './paths.js';
import { createRandom, type Random } from './random.js';
import { epoch, pool, PoolBuilder } from './scenario-pool.js';
import { vmKinds } from './vm-kinds.js';
import { planVm, type HostPlan, type VmPlan } from './vm-plan.js';
import { renderZonecfg } from './zonecfg-xml.js';
import type { SimulatedZone, ZoneStore } from './zone-store.js';

/** How to make a scenario. */
export interface ScenarioOptions {
  /** How many VMs (default 12). */
  readonly vms?: number;
  /** Determines everything but the present time (default 1). */
  readonly seed?: number;
  /** Gives one VM a zonename that is not its UUID. */
  readonly oddName?: boolean;
}

/** What all VMs of the host with this seed share. */
export function hostFacts(seed: number): HostPlan {
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
  const written: SimulatedZone[] = [];
  for (let number = 1; number <= vms; number++) {
    const kind = vmKinds[(number - 1) % vmKinds.length] ?? 'joyent-minimal';
    const odd = oddName && number === vms ? { zonename: 'build-zone' } : {};
    const plan = planVm({ random, facts, kind, number, debugid: number, ...odd });
    // Of the first twelve, ten run; after that, one in seven is stopped.
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
): SimulatedZone {
  const { zonename, uuid, config } = plan;
  const zone: SimulatedZone = {
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
