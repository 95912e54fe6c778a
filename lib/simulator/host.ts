/**
 * The simulated global zone as an operator uses it. The tree on disk is the truth, so that several processes can work on
 * it.
 */
import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { abandonedTrees, own, temporaryDirectory } from './abandoned.js';
import { faultOperations, type FaultOperations } from './fault-operations.js';
import { fileOperations, type FileOperations } from './file-operations.js';
import { operatorOf } from './operator.js';
import { pathsOf, type Paths } from './paths.js';
import { writeScenario, type ScenarioOptions } from './scenario.js';
import { SimulatorError } from './simulator-error.js';
import { runningSysevents } from './sysevents.js';
import { createTree } from './tree.js';
import { zfsOperations, type ZfsOperations } from './zfs-operations.js';
import { zoneOperations, type ZoneOperations } from './zone-operations.js';
import { ZoneStore } from './zone-store.js';

/** How to make a simulated host. */
export interface SimulatedHostOptions extends ScenarioOptions {
  /** Where: an empty or missing directory (default: a fresh one below the system's temporary directory). */
  readonly root?: string;
}

/** A simulated global zone. Operations resolve when the real command would have ended. */
export interface SimulatedHost extends ZoneOperations, FileOperations, ZfsOperations, FaultOperations {
  /** The directory that the daemon takes as `--root`. */
  readonly root: string;
  /** The file of an absolute path of the host, e.g. `/tmp/.sysinfo.json`. */
  path(absolute: string): string;
  /** Ends the `sysevent`s and removes the whole tree. Other commands that still run in it must be ended by their parents. */
  remove(): Promise<void>;
}

/** Makes a tree with a realistic mix of VMs (scenario.ts). Rejects when there is one at `root` already. */
export async function createSimulatedHost(options: SimulatedHostOptions = {}): Promise<SimulatedHost> {
  const { root, ...scenario } = options;
  const paths = pathsOf(root === undefined ? temporaryDirectory() : resolve(root));
  if (existsSync(paths.simulator)) throw new SimulatorError(paths.root, 'there is a simulated host already');
  createTree(paths);
  if (root === undefined) own(paths);
  writeScenario(paths, new ZoneStore(paths), scenario);
  return Promise.resolve(hostOf(paths));
}

/** Opens a tree that {@link createSimulatedHost} made, also in another process. */
export async function openSimulatedHost(root: string): Promise<SimulatedHost> {
  const paths = pathsOf(resolve(root));
  if (!existsSync(paths.simulator)) {
    throw new SimulatorError(paths.root, `no simulated host here; "vminfod-sim make ${root}" makes one`);
  }
  return Promise.resolve(hostOf(paths));
}

/** Removes the temporary trees of processes that were killed. */
export async function removeAbandonedHosts(): Promise<void> {
  for (const root of abandonedTrees()) await hostOf(pathsOf(root)).remove();
}

function end(pid: number): void {
  try {
    process.kill(pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function hostOf(paths: Paths): SimulatedHost {
  const operator = operatorOf(paths);
  return {
    root: paths.root,
    path: (absolute) => paths.inTree(absolute),
    remove: () =>
      operator.exclusively(() => {
        // Their daemon may have been killed, and they would notice only at their next write, which may never come.
        for (const pid of runningSysevents(paths)) end(pid);
        rmSync(paths.root, { recursive: true, force: true, maxRetries: 5 });
      }),
    ...zoneOperations(operator),
    ...fileOperations(operator),
    ...zfsOperations(operator),
    ...faultOperations(operator),
  };
}
