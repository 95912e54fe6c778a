/**
 * What operators and customers do all day on a hypervisor: small changes to random VMs, and now and then a VM created or
 * destroyed. The same seed on the same host gives the same actions.
 */
import { concatMap, defer, interval, startWith, type Observable } from 'rxjs';
import type { SimulatedHost } from './host.js';
import { createRandom, type Random } from './random.js';
import { SimulatorError } from './simulator-error.js';
import { vmKinds } from './vm-kinds.js';
import { ZfsError } from './zfs-error.js';
import type { SimulatedZone } from './zone-store.js';
import { attrOf } from './zonecfg.js';

/** One thing that was done. */
export interface Activity {
  /** What was done, e.g. `quota`. */
  readonly action: string;
  readonly zonename: string;
  readonly alias: string;
  /** In words, e.g. `quota=30g`. */
  readonly detail: string;
  /** Why it could not be done: another process was quicker. */
  readonly failure?: SimulatorError | ZfsError;
}

/** The permitted actions. */
export interface ActivityOptions {
  /** Whether VMs are created and destroyed, too (default true); without, their number stays. */
  readonly createAndDestroy?: boolean;
}

type Action = (host: SimulatedHost, zone: SimulatedZone, random: Random) => Promise<string>;

/**
 * Does something every `intervalMs`, one after the other, for as long as somebody is subscribed, and emits what was done.
 * After unsubscribing nothing more starts; an action under way is finished, and `host.remove()` waits for it.
 */
export function lifelike(
  host: SimulatedHost,
  options: ActivityOptions & { readonly seed?: number; readonly intervalMs?: number } = {},
): Observable<Activity> {
  return defer(() => {
    const random = createRandom(options.seed ?? 1);
    return interval(options.intervalMs ?? 1000).pipe(
      startWith(undefined),
      concatMap(() => performAction(host, random, options)),
    );
  });
}

/** Does one thing. Rejects only with errors that should never happen. */
export async function performAction(
  host: SimulatedHost,
  random: Random,
  { createAndDestroy = true }: ActivityOptions = {},
): Promise<Activity> {
  const zonenames = host.zonenames();
  if (createAndDestroy && (zonenames.length === 0 || random.chance(0.04))) return createOne(host, random);
  const zonename = random.pick(zonenames);
  const name =
    createAndDestroy && zonenames.length > 3 && random.chance(0.04) ? 'destroy' : random.pick(usual);
  let alias = '-';
  try {
    const zone = host.zone(zonename);
    alias = attrOf(zone.config, 'alias') ?? '-';
    const detail = await actions[name](host, zone, random);
    return { action: name, zonename, alias, detail };
  } catch (failure) {
    if (!(failure instanceof SimulatorError) && !(failure instanceof ZfsError)) throw failure;
    return { action: name, zonename, alias, detail: failure.message, failure };
  }
}

async function createOne(host: SimulatedHost, random: Random): Promise<Activity> {
  const kind = random.pick(vmKinds);
  const zonename = await host.createZone({ kind });
  const alias = attrOf(host.zone(zonename).config, 'alias') ?? '-';
  return { action: 'create', zonename, alias, detail: kind };
}

const actions = {
  alias: async (host, zone, random) => {
    const alias = `${random.pick(['web', 'db', 'cache', 'queue'])}-${random.hex(4)}`;
    await host.updateConfig(zone.zonename, { attrs: { alias } });
    return `alias=${alias}`;
  },
  limits: async (host, zone, random) => {
    const shares = random.integer(1, 40) * 10;
    await host.updateConfig(zone.zonename, { rctls: { 'zone.cpu-shares': shares } });
    return `cpu_shares=${shares}`;
  },
  quota: async (host, zone, random) => {
    const property = zone.config.brand === 'bhyve' ? 'refquota' : 'quota';
    const quota = `${property}=${random.integer(50, 200)}g`;
    await host.zfs('set', quota, rootDataset(zone));
    return quota;
  },
  tag: async (host, zone, random) => {
    const tags = {
      [random.pick(['role', 'owner', 'tier'])]: random.pick(['blue', 'green', 'canary', 7, true]),
    };
    await host.setTags(zone.zonename, tags);
    return JSON.stringify(tags);
  },
  metadata: async (host, zone, random) => {
    const metadata = { 'deploy:version': `1.${random.integer(0, 99)}.0` };
    await host.setMetadata(zone.zonename, 'customer_metadata', metadata);
    return JSON.stringify(metadata);
  },
  snapshot: async (host, zone, random) => {
    const name = `${rootDataset(zone)}@vmsnap-${random.hex(6)}`;
    await host.zfs('snapshot', name);
    return name;
  },
  'destroy snapshot': async (host, zone) => {
    const free = host
      .dataset(rootDataset(zone))
      ?.snapshots.find(({ holds, clones }) => holds.length + clones.length === 0);
    if (free === undefined) return 'none to destroy';
    await host.zfs('destroy', `${rootDataset(zone)}@${free.name}`);
    return free.name;
  },
  power: async (host, zone, random) => {
    if (zone.state === 'installed') {
      await host.start(zone.zonename);
      return 'start';
    }
    if (random.chance(0.5)) {
      await host.reboot(zone.zonename);
      return 'reboot';
    }
    await host.stop(zone.zonename, { waitStatus: random.pick([0, 256, 9]) });
    return 'stop';
  },
  destroy: async (host, zone) => {
    await host.destroyZone(zone.zonename);
    return 'destroy';
  },
} as const satisfies Readonly<Record<string, Action>>;

/** All actions except destroy; frequent ones appear several times. */
const usual = [
  ...(['alias', 'quota', 'quota', 'tag', 'tag', 'metadata', 'limits'] as const),
  ...(['snapshot', 'snapshot', 'destroy snapshot', 'power', 'power'] as const),
];

function rootDataset(zone: SimulatedZone): string {
  return zone.zonepath.slice(1);
}
