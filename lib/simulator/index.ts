/**
 * A simulated global zone: a directory tree with the files and commands that vminfod reads, for tests, benchmarks and the demo.
 * The daemon takes its root as `--root` and must not know that it is not real.
 */
export {
  createSimulatedHost,
  openSimulatedHost,
  removeAbandonedHosts,
  type SimulatedHost,
  type SimulatedHostOptions,
} from './host.js';
export type { CreateZoneOptions, ZoneOperations } from './zone-operations.js';
export type { ConfigName, Entries, FileOperations } from './file-operations.js';
export type { ZfsOperations } from './zfs-operations.js';
export type { FaultOperations } from './fault-operations.js';
export type { ScenarioOptions } from './scenario.js';
export type { Fault } from './faults.js';
export type { Channel, SimulatedCommand } from './paths.js';
export { createRandom, type Random } from './random.js';
export {
  historyLine,
  initRestartLine,
  zoneStatusLine,
  type HistoryEvent,
  type ZoneStatusEvent,
} from './sysevents.js';
export { vmKinds, type VmKind } from './vm-kinds.js';
export type { ConfigChange, Zonecfg } from './zonecfg.js';
export { attrOf, setAttr, setRctl } from './zonecfg.js';
export { SimulatorError } from './simulator-error.js';
export { lifelike, performAction, type Activity, type ActivityOptions } from './lifelike.js';
export { zfsSubcommands } from './zfs-commands.js';
export { ZfsError } from './zfs-error.js';
export type { ReceiveOptions } from './zfs-receive.js';
export type { SimulatedDataset, SimulatedSnapshot } from './zfs-store.js';
export type { SimulatedZone } from './zone-store.js';
