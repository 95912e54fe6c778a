/**
 * Zones as an operator creates, boots, halts and deletes them.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { readCounters, writeCounters } from './counters.js';
import type { Operator } from './operator.js';
import { destroyDatasets, factsOf, provision } from './provision.js';
import { createRandom } from './random.js';
import { SimulatorError } from './simulator-error.js';
import type { VmKind } from './vm-kinds.js';
import { planVm } from './vm-plan.js';
import { beginUninstall, boot, halt, restartInit, setZonepath, unconfigure } from './zone-commands.js';
import { runZfs } from './zfs-commands.js';
import type { SimulatedZone } from './zone-store.js';
import { attrOf } from './zonecfg.js';

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

/** The operations on zones. Steps and their sysevents come in the order of the real tools. */
export interface ZoneOperations {
  /** The names of the zones, sorted; without the global zone. */
  zonenames(): string[];
  /** The state of a zone; throws when there is none. */
  zone(zonename: string): SimulatedZone;
  /** The zone with this zonename, UUID or alias, or the only one whose zonename begins with it; throws when there is none. */
  findZone(text: string): SimulatedZone;
  /** Provisions a VM as vmadm does: configure, install with its datasets and files, boot. Resolves to its zonename. */
  createZone(options?: CreateZoneOptions): Promise<string>;
  /** Halts a zone if it runs, and deletes it with all its datasets. */
  destroyZone(zonename: string): Promise<void>;
  /** Boots a zone that is installed. */
  start(zonename: string): Promise<void>;
  /** Halts a running zone. `waitStatus` (default 0) is its init's status in lastexited: see wait(2), or -1. */
  stop(zonename: string, options?: { readonly waitStatus?: number }): Promise<void>;
  /** Halts a running zone and boots it again, under a new zoneid. */
  reboot(zonename: string): Promise<void>;
  /** The init of a running zone dies, and the kernel starts it again. */
  restartInit(zonename: string): Promise<void>;
  /** Gives a zone that is installed, and has neither disks nor delegated datasets, another root dataset and so another zonepath. */
  moveZone(zonename: string, root: string): Promise<void>;
  /**
   * How long zoneadm goes on printing the old state after a kernel event: milliseconds, or until the promise of a
   * function that is called after each. Default 0; only for operations of this process.
   */
  setStateLag(lag: number | (() => Promise<unknown>)): void;
}

/** The {@link ZoneOperations} of an operator. */
export function zoneOperations(operator: Operator): ZoneOperations {
  const { paths, zones, onZone } = operator;
  return {
    zonenames: () => zones.names().sort(),
    zone: (zonename) => zones.get(zonename),
    findZone: (text) => find(operator, text),
    createZone: (options = {}) => operator.exclusively(() => create(operator, options)),
    destroyZone: (zonename) =>
      onZone(zonename, async (zone) => {
        if (zone.zoneid !== null) await halt(operator, zone, 0);
        beginUninstall(operator, zone);
        destroyDatasets(paths, zone);
        unconfigure(operator, zone);
      }),
    start: (zonename) =>
      onZone(zonename, async (zone) => {
        expectState(zone, 'installed');
        await boot(operator, zone);
      }),
    stop: (zonename, { waitStatus = 0 } = {}) =>
      onZone(zonename, async (zone) => {
        expectState(zone, 'running');
        await halt(operator, zone, waitStatus);
      }),
    reboot: (zonename) =>
      onZone(zonename, async (zone) => {
        expectState(zone, 'running');
        await halt(operator, zone, 0);
        await boot(operator, zone);
      }),
    restartInit: (zonename) =>
      onZone(zonename, (zone) => {
        expectState(zone, 'running');
        restartInit(operator, zone);
      }),
    moveZone: (zonename, root) =>
      onZone(zonename, (zone) => {
        expectState(zone, 'installed');
        runZfs(paths, ['rename', zone.zonepath.slice(1), root]);
        setZonepath(operator, zone, `/${root}`);
      }),
    setStateLag: (lag) => {
      operator.stateLag = typeof lag === 'number' ? () => wait(lag) : lag;
    },
  };
}

async function create(operator: Operator, options: CreateZoneOptions): Promise<string> {
  const { kind = 'joyent-minimal', boot: boots = true, ...names } = options;
  const { paths, zones } = operator;
  const counters = readCounters(paths);
  const debugid = counters.debugid++;
  writeCounters(paths, counters);
  // The debug id is new on this host, and so is the UUID derived from it.
  const facts = factsOf(paths);
  const random = createRandom(debugid ^ Number.parseInt(facts.images[0]?.slice(0, 8) ?? '0', 16));
  const plan = planVm({ random, facts, kind, number: debugid, debugid, ...names });
  if (zones.find(plan.zonename) !== undefined) throw new SimulatorError(plan.zonename, 'zone exists already');
  const zone = provision(operator, plan, boots ? 'running' : 'stopped');
  if (boots) await boot(operator, zone);
  return zone.zonename;
}

function find({ zones }: Operator, text: string): SimulatedZone {
  const exact = zones.find(text);
  if (exact !== undefined) return exact;
  const all = zones.names().map((name) => zones.get(name));
  const named = all.filter((zone) => zone.uuid === text || attrOf(zone.config, 'alias') === text);
  const candidates = named.length > 0 ? named : all.filter((zone) => zone.zonename.startsWith(text));
  const [found, another] = candidates;
  if (found === undefined) throw new SimulatorError(text, 'No such zone configured');
  if (another !== undefined) throw new SimulatorError(text, 'more than one zone is meant by this');
  return found;
}

function expectState(zone: SimulatedZone, state: SimulatedZone['state']): void {
  if (zone.state !== state)
    throw new SimulatorError(zone.zonename, `expected state ${state}, got ${zone.state}`);
}
