/**
 * What must hold when a storm is over: one rescan makes the cache what a daemon that has just started assembles from the
 * same host; and then, without faults and without a rescan, events alone keep it so, whatever else is said.
 */
import { NEVER, type Subject } from 'rxjs';
import type { SimulatedHost } from '../../lib/simulator/index.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import type { Audience } from './audience.js';
import { Client, holdsSoon, startOn } from './client.js';
import { differences, type Vms } from './compare.js';
import type { Faults } from './faults.js';
import type { Findings } from './findings.js';
import type { Operator } from './operator.js';
import type { Syncs } from './syncs.js';

export interface ComparisonOptions {
  readonly host: SimulatedHost;
  readonly client: Client;
  /** Asks the daemon for a rescan. */
  readonly requests: Subject<Invalidation>;
  readonly operator: Operator;
  readonly faults: Faults;
  readonly syncs: Syncs;
  readonly audience: Audience;
  readonly findings: Findings;
}

/** Actions whose events alone must keep the cache true, after each storm. */
const calmActions = 40;
/** After how many of them there is an event about nothing, and a sync. */
const interlude = 10;

/** Compares one daemon with the truth, again and again. */
export class Comparison {
  readonly #options: ComparisonOptions;
  #times = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  /** All faults are over: one rescan must mend whatever was missed. */
  async afterRescan(): Promise<void> {
    const { client, requests, findings } = this.#options;
    await this.#awaitBacklog();
    requests.next({ type: 'everything', reason: 'the storm is over' });
    await client.untilIdle();
    const { loadErrors } = await client.status();
    for (const left of loadErrors.slice(0, 3))
      findings.problem(
        `an error is left after one rescan: ${JSON.stringify(left)}${findings.trailOf(left.zone)}`,
      );
    findings.count('no error is left, after one rescan');
    await this.#compare('after one rescan');
    findings.vanished.clear();
  }

  /** No faults, no rescan: events alone keep it true. */
  async afterCalm(): Promise<void> {
    const { operator, faults, syncs, findings } = this.#options;
    findings.trail.note('calm begins');
    for (let left = calmActions; left > 0; left--) {
      await operator.act({ audible: true });
      if (left % interlude > 0) continue;
      for (const kind of faults.harmless) await faults.inject(kind);
      await syncs.once({ withFaults: false });
    }
    // While the dataset of an installed zone is away its files cannot be read: only a daemon that saw them knows what they said.
    await operator.tidyUp();
    await this.#compare('by events alone');
    await faults.repair();
  }

  /** What was posted before, and delivered late, has been taken in when a change that came after it shows. */
  async #awaitBacklog(): Promise<void> {
    const { host, client, audience } = this.#options;
    await client.until('all sources run', () => client.sourcesRun());
    await client.untilIdle();
    const zonename = host.zonenames().find((each) => {
      const { state, config, zonepath } = host.zone(each);
      const hasRoot = host.dataset(zonepath.slice(1)) !== undefined;
      return (
        state === 'running' &&
        config.brand !== 'bhyve' &&
        hasRoot &&
        audience.witness.vms.get(each)?.zfs_filesystem
      );
    });
    if (zonename === undefined) throw new Error('no zone runs');
    const { zonepath } = host.zone(zonename);
    const quota = 1_000 + this.#times++;
    await host.zfs('set', `quota=${quota}g`, zonepath.slice(1));
    await host.restartInit(zonename);
    const { initRestarts } = host.zone(zonename);
    await client.until(`${zonename} has quota ${quota} and init_restarts ${initRestarts}`, () => {
      const vm = audience.witness.vms.get(zonename);
      return vm?.quota === quota && vm.init_restarts === initRestarts;
    });
  }

  /** The cache against a fresh daemon, and every listener against the cache. */
  async #compare(when: string): Promise<void> {
    const { client, audience, findings } = this.#options;
    const fresh = await this.#assembledAfresh();
    // What zoneadm does not show at once is looked for again a few times, so there is some time for it.
    const inTime = await holdsSoon(async () => isSame(await client.vms(), fresh));
    const vms = await client.vms();
    if (!inTime) findings.compare(`the cache, ${when}`, vms, fresh);
    findings.count(`the cache equals a fresh daemon's, ${when}`);
    for (const follower of audience.all()) {
      await holdsSoon(() => isSame(follower.vms, vms));
      findings.compare(`a listener of ${follower.events} events, ${when}`, follower.vms, vms);
      findings.count(`a listener's copy equals /vms, ${when}`);
    }
  }

  async #assembledAfresh(): Promise<Vms> {
    const daemon = await startOn(this.#options.host.root, NEVER);
    try {
      const client = new Client(daemon.url);
      await client.untilReady();
      return await client.vms();
    } finally {
      await daemon.close();
      await daemon.ended;
    }
  }
}

function isSame(actual: Vms, expected: Vms): boolean {
  return differences(actual, expected).length === 0;
}
