/**
 * The simulated global zone as an operator has it in hand. Each method does what the real tools do, in their order, and
 * resolves when they would have ended. What is on disk is the truth, so several processes can work on one tree.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readCounters, writeCounters } from './counters.js';
import { clearFaults, setFault, type Fault } from './faults.js';
import { moveOver, readIfExists, removeFile, replaceFile, rewriteInPlace } from './files.js';
import { invocations, resetInvocations } from './invocations.js';
import { exclusively } from './lock.js';
import { pathsOf, type Channel, type Paths, type SimulatedCommand } from './paths.js';
import { createRandom } from './random.js';
import { configFiles, hostFacts, writeScenario, type ScenarioOptions } from './scenario.js';
import { postRaw, runningSysevents, type HistoryEvent } from './sysevents.js';
import { createTree } from './tree.js';
import { isHardware, planVm, type VmKind, type VmPlan } from './vm-profile.js';
import { applyChange, setAttr, type ConfigChange, type Zonecfg } from './zonecfg.js';
import { renderZonecfg } from './zonecfg-xml.js';
import { inTransaction, runZfs } from './zfs-commands.js';
import { receive, type ReceiveOptions } from './zfs-receive.js';
import type { SimulatedDataset } from './zfs-store.js';
import * as commands from './zone-commands.js';
import { ZoneStore, type Zone } from './zone-store.js';

/** How to make a simulated host. */
export interface SimulatedHostOptions extends ScenarioOptions {
  /** Where: an empty or missing directory (default: a fresh one below the system's temporary directory). */
  readonly root?: string;
}

/** Which of the JSON files in a zone's config directory. */
export type ConfigFile = 'metadata' | 'tags' | 'routes';

/** How to create a zone. */
export interface CreateZoneOptions {
  /** Default `joyent-minimal`. */
  readonly kind?: VmKind;
  /** Default: the UUID. */
  readonly zonename?: string;
  readonly alias?: string;
  /** Boot it at the end (default true). */
  readonly boot?: boolean;
}

/** Makes a tree with a realistic mix of VMs. */
export async function createSimulatedHost(options: SimulatedHostOptions = {}): Promise<SimulatedHost> {
  const { root = mkdtempSync(join(tmpdir(), 'simulated-gz-')), ...scenario } = options;
  const paths = pathsOf(root);
  if (existsSync(paths.simulator)) throw new Error(`${root}: there is a simulated host already`);
  createTree(paths);
  writeScenario(paths, new ZoneStore(paths), scenario);
  return Promise.resolve(new SimulatedHost(paths));
}

/** Opens a tree that {@link createSimulatedHost} made, also in another process. */
export async function openSimulatedHost(root: string): Promise<SimulatedHost> {
  const paths = pathsOf(root);
  if (!existsSync(paths.simulator))
    throw new Error(`${root}: no simulated host here; vminfod-sim make makes one`);
  return Promise.resolve(new SimulatedHost(paths));
}

/** See the module's head. Made by {@link createSimulatedHost} and {@link openSimulatedHost}. */
export class SimulatedHost {
  readonly #paths: Paths;
  readonly #zones: ZoneStore;
  #stateLagMs = 0;

  /** For the functions above. */
  constructor(paths: Paths) {
    this.#paths = paths;
    this.#zones = new ZoneStore(paths);
  }

  /** The directory that the daemon takes as `--root`. */
  get root(): string {
    return this.#paths.root;
  }

  /** The file of an absolute path of the host, e.g. `/tmp/.sysinfo.json`. */
  path(absolute: string): string {
    return this.#paths.inTree(absolute);
  }

  /** Removes the whole tree. Commands that still run in it are the daemon's to end. */
  async remove(): Promise<void> {
    await this.#exclusively(() => undefined);
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 });
  }

  // Zones

  /** The names of the zones, sorted. */
  zonenames(): string[] {
    return this.#zones.names().sort();
  }

  /** What is known of a zone; throws when there is none. */
  zone(zonename: string): Zone {
    return this.#zones.get(zonename);
  }

  /** Provisions a VM as vmadm does: configure, install with its datasets and files, boot. Returns its zonename. */
  async createZone(options: CreateZoneOptions = {}): Promise<string> {
    return this.#exclusively(async () => {
      const counters = readCounters(this.#paths);
      const debugid = counters.debugid++;
      writeCounters(this.#paths, counters);
      const seed = (Date.now() ^ (debugid << 16) ^ (process.pid << 4)) >>> 0;
      const { kind = 'joyent-minimal', boot = true, ...names } = options;
      const plan = planVm({
        random: createRandom(seed),
        facts: this.#facts(),
        kind,
        number: debugid,
        debugid,
        ...names,
      });
      if (this.#zones.find(plan.zonename) !== undefined)
        throw new Error(`${plan.zonename}: zone exists already`);
      const zone = await this.#provision(plan, boot ? 'running' : 'stopped');
      if (boot) await commands.boot(this.#tools(), zone);
      return zone.zonename;
    });
  }

  /** Halts a zone if it runs, and deletes it with all its datasets. */
  async destroyZone(zonename: string): Promise<void> {
    await this.#onZone(zonename, async (zone) => {
      if (zone.zoneid !== null) await commands.halt(this.#tools(), zone, 0);
      commands.beginUninstall(this.#tools(), zone);
      this.#destroyDatasets(zone);
      commands.unconfigure(this.#tools(), zone);
    });
  }

  /** Boots a zone. */
  async start(zonename: string): Promise<void> {
    await this.#onZone(zonename, async (zone) => {
      if (zone.state !== 'installed')
        throw new Error(`${zonename}: expected state installed, got ${zone.state}`);
      await commands.boot(this.#tools(), zone);
    });
  }

  /** Halts a zone. `waitStatus` is what lastexited says of its init: see wait(2), or -1. */
  async stop(zonename: string, { waitStatus = 0 }: { readonly waitStatus?: number } = {}): Promise<void> {
    await this.#onZone(zonename, async (zone) => {
      requireRunning(zone);
      await commands.halt(this.#tools(), zone, waitStatus);
    });
  }

  /** Halts a zone and boots it again, under a new zoneid. */
  async reboot(zonename: string): Promise<void> {
    await this.#onZone(zonename, async (zone) => {
      requireRunning(zone);
      await commands.halt(this.#tools(), zone, 0);
      await commands.boot(this.#tools(), zone);
    });
  }

  /** The zone's init dies and the kernel starts it again. */
  async restartInit(zonename: string): Promise<void> {
    await this.#onZone(zonename, (zone) => {
      requireRunning(zone);
      commands.restartInit(this.#tools(), zone);
    });
  }

  /** How long zoneadm goes on printing the old state after a kernel event; 0 at first. In this process only. */
  setStateLag(milliseconds: number): void {
    this.#stateLagMs = milliseconds;
  }

  // The zone's files

  /** Changes a zone's configuration and rewrites its XML as zonecfg does: temporary file, then rename. */
  async updateConfig(zonename: string, change: ConfigChange | ((config: Zonecfg) => void)): Promise<void> {
    await this.#onZone(zonename, (zone) => {
      if (typeof change === 'function') change(zone.config);
      else applyChange(zone.config, change);
      this.#zones.put(zone);
      commands.writeXml(this.#tools(), zone);
    });
  }

  /**
   * Sets what vmadm keeps in the attr `transition` while it works, e.g. `provisioning:running:1795428000`; null ends it.
   */
  async setTransition(zonename: string, transition: string | null): Promise<void> {
    await this.updateConfig(zonename, { attrs: { transition } });
  }

  /** The XML moved over from another filesystem: the old file is deleted, and another one created. */
  async moveXmlOver(zonename: string): Promise<void> {
    await this.#onZone(zonename, (zone) => {
      moveOver(this.#paths.zoneXml(zonename), renderZonecfg(zone.config));
    });
  }

  /** Deletes the XML, and nothing else. {@link rewriteXml} brings it back. */
  async deleteXml(zonename: string): Promise<void> {
    await this.#exclusively(() => {
      removeFile(this.#paths.zoneXml(zonename));
    });
  }

  /** Writes the XML anew, whatever has become of it. */
  async rewriteXml(zonename: string): Promise<void> {
    await this.#onZone(zonename, (zone) => {
      commands.writeXml(this.#tools(), zone);
    });
  }

  /** Changes the object in one of the config files (`{}` when there is none) and replaces it by rename. */
  async updateConfigFile(
    zonename: string,
    file: ConfigFile,
    change: (value: Record<string, unknown>) => void,
  ): Promise<void> {
    await this.#onZone(zonename, (zone) => {
      const path = this.configFile(zone, file);
      const value = JSON.parse(readIfExists(path) ?? '{}') as Record<string, unknown>;
      change(value);
      mkdirSync(dirname(path), { recursive: true });
      replaceFile(path, `${JSON.stringify(value, null, 2)}\n`);
    });
  }

  /** Sets tags; null removes one. */
  async setTags(zonename: string, tags: Readonly<Record<string, unknown>>): Promise<void> {
    await this.updateConfigFile(zonename, 'tags', (value) => {
      mergeInto(value, tags);
    });
  }

  /** Sets customer or internal metadata; null removes a key. */
  async setMetadata(
    zonename: string,
    kind: 'customer_metadata' | 'internal_metadata',
    entries: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await this.updateConfigFile(zonename, 'metadata', (value) => {
      const inner = (value[kind] ?? {}) as Record<string, unknown>;
      mergeInto(inner, entries);
      value[kind] = inner;
    });
  }

  /** Sets routes; null removes one. */
  async setRoutes(zonename: string, routes: Readonly<Record<string, unknown>>): Promise<void> {
    await this.updateConfigFile(zonename, 'routes', (value) => {
      mergeInto(value, routes);
    });
  }

  /** Writes lastexited as zoneadmd does: truncated, then in place. */
  async writeLastExited(zonename: string, waitStatus: number): Promise<void> {
    await this.#onZone(zonename, (zone) => {
      commands.writeLastExited(this.#tools(), zone, waitStatus);
    });
  }

  /** Changes the sysinfo cache; null removes a key. */
  async updateSysinfo(change: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#exclusively(() => {
      const value = JSON.parse(readIfExists(this.#paths.sysinfo) ?? '{}') as Record<string, unknown>;
      mergeInto(value, change);
      replaceFile(this.#paths.sysinfo, `${JSON.stringify(value, null, 2)}\n`);
    });
  }

  /** The path of a config file of a zone. */
  configFile(zone: Zone | string, file: ConfigFile): string {
    const { zonepath } = typeof zone === 'string' ? this.zone(zone) : zone;
    return join(this.#paths.inTree(zonepath), 'config', `${file}.json`);
  }

  /** The path of a zone's XML. */
  xmlFile(zonename: string): string {
    return this.#paths.zoneXml(zonename);
  }

  /** Writes any text into any file of the tree, in place, e.g. to break it; returns a function that puts the old text back. */
  corrupt(path: string, text: string): () => void {
    const before = readFileSync(path, 'utf8');
    rewriteInPlace(path, text);
    return () => {
      rewriteInPlace(path, before);
    };
  }

  // ZFS

  /** Runs `zfs <argv>`, e.g. `host.zfs('set', 'quota=20g', dataset)`. Rejects with a ZfsError where the real one fails. */
  async zfs(...argv: readonly string[]): Promise<readonly HistoryEvent[]> {
    return this.#exclusively(() => runZfs(this.#paths, argv));
  }

  /** Runs `zfs send … | zfs receive …`. */
  async receive(options: ReceiveOptions): Promise<readonly HistoryEvent[]> {
    return this.#exclusively(() =>
      inTransaction(this.#paths, (transaction) => {
        receive(transaction, options);
      }),
    );
  }

  /** Data is written to a dataset: `written` grows, and with `overwritten` bytes what its snapshots hold. No event. */
  async writeData(dataset: string, bytes: number, overwritten = 0): Promise<void> {
    await this.#exclusively(() =>
      inTransaction(this.#paths, (transaction) => {
        const found = transaction.dataset(dataset);
        found.written += bytes;
        if (found.snapshots.length > 0) found.usedBySnapshots += overwritten;
        transaction.store.put(found);
      }),
    );
  }

  /** A dataset as the simulator keeps it, or undefined. */
  async dataset(name: string): Promise<SimulatedDataset | undefined> {
    return this.#exclusively(() => {
      let found: SimulatedDataset | undefined;
      inTransaction(this.#paths, (transaction) => {
        found = transaction.store.find(name);
      });
      return found;
    });
  }

  /** Puts datasets there as they are, without an event: what a pool that is imported brings along. */
  async importDatasets(datasets: readonly SimulatedDataset[]): Promise<void> {
    await this.#exclusively(() =>
      inTransaction(this.#paths, (transaction) => {
        for (const dataset of datasets) transaction.store.put(dataset);
      }),
    );
  }

  // Events

  /** Lets the kernel drop everything that is posted on a channel, until it is switched off again. */
  dropEvents({ zones, zfs }: { readonly zones?: boolean; readonly zfs?: boolean }): void {
    for (const [channel, drops] of [
      ['zones', zones],
      ['zfs', zfs],
    ] as const) {
      if (drops === true) writeFileSync(this.#paths.dropped(channel), '');
      if (drops === false) removeFile(this.#paths.dropped(channel));
    }
  }

  /** Posts lines as they are, valid or not (zoneStatusLine and historyLine make valid ones), in one write. */
  postEvents(channel: Channel, rawLines: readonly string[]): void {
    postRaw(this.#paths, channel, rawLines);
  }

  /** The process ids of the running `sysevent` commands, of one channel or both. */
  syseventPids(channel?: Channel): number[] {
    return runningSysevents(this.#paths, channel);
  }

  // Faults and bookkeeping

  /** Adds a fault to a command, from its next invocation on. */
  setFault(command: SimulatedCommand, fault: Fault): void {
    setFault(this.#paths, command, fault);
  }

  /** Takes away all faults, or those of one command. */
  clearFaults(command?: SimulatedCommand): void {
    clearFaults(this.#paths, command);
  }

  /** The arguments of each invocation of a command since the last reset. */
  invocations(command: SimulatedCommand): string[][] {
    return invocations(this.#paths, command);
  }

  /** Forgets the invocations of all commands. */
  resetInvocations(): void {
    resetInvocations(this.#paths);
  }

  async #provision(plan: VmPlan, target: string): Promise<Zone> {
    const tools = this.#tools();
    const zone: Zone = {
      ...{
        zonename: plan.zonename,
        uuid: plan.uuid,
        zonepath: plan.config.zonepath,
        state: 'configured',
        zoneid: null,
      },
      ...{ initPid: 0, initRestarts: 0, bootTime: 0, config: plan.config },
    };
    setAttr(zone.config, 'transition', `provisioning:${target}:${Math.floor(Date.now() / 1000) + 300}`);
    commands.configure(tools, zone);
    commands.beginInstall(tools, zone);
    this.#createDatasets(plan);
    commands.finishInstall(tools, zone);
    const directory = this.#paths.inTree(zone.zonepath);
    for (const [name, text] of Object.entries(configFiles(plan))) replaceFile(join(directory, name), text);
    setAttr(zone.config, 'transition', null);
    this.#zones.put(zone);
    commands.writeXml(tools, zone);
    return Promise.resolve(zone);
  }

  #createDatasets(plan: VmPlan): void {
    const { pool } = this.#facts();
    const root = `${pool}/${plan.zonename}`;
    const zfs = (...argv: string[]): void => void runZfs(this.#paths, argv);
    const quota = `quota=${plan.quotaGiB}g`;
    if (isHardware(plan.kind))
      zfs('create', '-o', quota, ...(plan.config.brand === 'bhyve' ? ['-o', 'refquota=10g'] : []), root);
    else zfs('clone', '-o', quota, '-o', 'devices=off', `${pool}/${plan.imageUuid}@final`, root);
    for (const { dataset, size, fromImage } of plan.disks) {
      if (fromImage) zfs('clone', `${pool}/${plan.imageUuid}/disk0@final`, dataset);
      else zfs('create', '-V', String(size), dataset);
    }
    for (const name of plan.delegated) zfs('create', '-o', 'zoned=on', `${root}/${name}`);
  }

  #destroyDatasets(zone: Zone): void {
    const root = zone.zonepath.slice(1);
    const disks = zone.config.devices
      .map(({ match }) => match.replace('/dev/zvol/rdsk/', ''))
      .filter((dataset) => dataset.startsWith(`${root}-disk`));
    for (const dataset of [...disks, root]) {
      const exists = this.#release(dataset);
      if (exists) runZfs(this.#paths, ['destroy', '-r', dataset]);
    }
  }

  /** vmadm releases the holds that make a VM indestructible before it deletes it. */
  #release(dataset: string): boolean {
    const events = { exists: false, holds: [] as [string, string][] };
    inTransaction(this.#paths, (transaction) => {
      const found = transaction.store.find(dataset);
      events.exists = found !== undefined;
      if (found === undefined) return;
      for (const each of transaction.tree(found)) {
        for (const snapshot of each.snapshots) {
          for (const tag of snapshot.holds) events.holds.push([tag, `${each.name}@${snapshot.name}`]);
        }
      }
    });
    for (const [tag, snapshot] of events.holds) runZfs(this.#paths, ['release', tag, snapshot]);
    return events.exists;
  }

  #facts(): ReturnType<typeof hostFacts> {
    return hostFacts(this.#seed());
  }

  #seed(): number {
    return Number(readFileSync(this.#paths.seed, 'utf8'));
  }

  #tools(): commands.ZoneTools {
    return { paths: this.#paths, zones: this.#zones, stateLagMs: this.#stateLagMs };
  }

  async #onZone(zonename: string, work: (zone: Zone) => Promise<void> | void): Promise<void> {
    await this.#exclusively(() => work(this.#zones.get(zonename)));
  }

  #exclusively<T>(work: () => Promise<T> | T): Promise<T> {
    return exclusively(this.#paths.lock, work);
  }
}

function requireRunning(zone: Zone): void {
  if (zone.state !== 'running')
    throw new Error(`${zone.zonename}: expected state running, got ${zone.state}`);
}

function mergeInto(target: Record<string, unknown>, entries: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(entries)) {
    if (value !== null) target[name] = value;
    else Reflect.deleteProperty(target, name);
  }
}
