/**
 * A restless operator: every operation that the simulated host has, on zones picked at random.
 */
import { createRandom, type SimulatedHost } from '../../lib/simulator/index.js';
import { isRefusal, refused, type Actions, type Scene } from './scene.js';
import type { Trail } from './trail.js';
import { zfsActions } from './zfs-actions.js';
import { zoneActions } from './zone-actions.js';

const actions: Actions = { ...zoneActions, ...zfsActions };

export interface OperatorOptions {
  readonly host: SimulatedHost;
  readonly seed: number;
  /** About how many zones there are to be. */
  readonly zones: number;
  readonly trail: Trail;
  /** Called for zones that are away for a moment. */
  readonly vanished: Set<string>;
  /** A zone that is not the operator's. */
  readonly except: string;
}

/** Does one thing at a time. */
export interface Operator {
  /** Does something; only what events tell of if `audible`. Rejects only with what should never happen. */
  act(options?: { readonly audible?: boolean }): Promise<void>;
  /** Undoes what it has half done: what was moved away is put back. */
  tidyUp(): Promise<void>;
}

/** Makes an operator. */
export function createOperator({ host, seed, zones, trail, vanished, except }: OperatorOptions): Operator {
  const random = createRandom(seed);
  const scratch: string[] = [];
  const renamed = new Map<string, string>();
  const names = Object.entries(actions).flatMap(([name, { weight }]) => Array<string>(weight).fill(name));
  const audibleNames = names.filter((name) => actions[name]?.silent !== true);

  const choose = (count: number, audible: boolean): string => {
    if (count < zones * 0.95) return 'create zone';
    if (count > zones * 1.05) return 'destroy zone';
    return random.pick(audible ? audibleNames : names);
  };

  return {
    act: async ({ audible = false } = {}) => {
      const zonenames = host.zonenames().filter((each) => each !== except);
      const name = choose(zonenames.length, audible);
      const zone = host.zone(random.pick(zonenames));
      const root = zone.zonepath.slice(1);
      const dataset = host.dataset(root);
      host.setStateLag(random.pick([0, 0, 0, 0, 5, 40]));
      const scene: Scene = {
        ...{ host, zone, random, root, scratch, renamed, vanished },
        snapshots: (dataset?.snapshots ?? [])
          .filter(({ holds, clones }) => holds.length + clones.length === 0)
          .map((snapshot) => `${root}@${snapshot.name}`),
        disks: zone.config.devices
          .map(({ match }) => match.replace('/dev/zvol/rdsk/', ''))
          .filter((disk) => host.dataset(disk) !== undefined),
      };
      // Noted first: the daemon may be quicker than the operator's command ends.
      trail.action(name, zone.zonename);
      try {
        const detail = await actions[name]?.act(scene);
        if (typeof detail === 'string') trail.note(`  ${zone.zonename}: ${detail}`);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        trail.refused++;
        trail.note(`  ${zone.zonename}: refused: ${error.message}`);
      }
    },
    tidyUp: async () => {
      for (const [from, to] of renamed) await host.zfs('rename', to, from).catch(refused);
      renamed.clear();
      host.setStateLag(0);
    },
  };
}
