/**
 * A storm: actions of an operator, faults, syncs and listeners that come and go, side by side, until every kind of fault
 * has had its turn. It is over when all faults are, and the sources run again.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { createRandom, type Random } from '../../lib/simulator/index.js';
import type { Audience } from './audience.js';
import type { Client } from './client.js';
import type { Undo } from './fault-kit.js';
import type { Faults } from './faults.js';
import type { Findings } from './findings.js';
import type { Operator } from './operator.js';
import type { Syncs } from './syncs.js';

export interface StormsOptions {
  readonly seed: number;
  readonly client: Client;
  readonly operator: Operator;
  readonly faults: Faults;
  readonly syncs: Syncs;
  readonly audience: Audience;
  readonly findings: Findings;
}

/** The storms of one run. */
export class Storms {
  readonly #options: StormsOptions;
  readonly #random: Random;
  /** Every kind has its turn before one comes again. */
  readonly #kindsToCome: string[] = [];

  constructor(options: StormsOptions) {
    this.#options = options;
    this.#random = createRandom(options.seed ^ 0xc4a05);
  }

  /** One storm, of so many seconds at least. */
  async rage(seconds: number): Promise<void> {
    const { client, operator, faults, findings } = this.#options;
    const endsAt = Date.now() + seconds * 1000;
    const hadAllFaults = () => findings.trail.faults.size === faults.kinds.length;
    const goesOn = () => (Date.now() < endsAt || !hadAllFaults()) && findings.isFine();
    const gapMs = (seconds * 1000) / faults.kinds.length;
    const healed = new AbortController();
    const weather = Promise.all([
      this.#breakThings(goesOn, gapMs),
      this.#changeListeners(goesOn),
      this.#sync(goesOn),
    ])
      .then(() => client.until('all sources run', () => client.sourcesRun()))
      .finally(() => {
        healed.abort();
      });
    // An operator does not wait for the daemon.
    await Promise.all([weather, this.#act(() => !healed.signal.aborted)]);
    await operator.tidyUp();
    await faults.repair();
    findings.trail.note('the storm is over');
  }

  async #act(goesOn: () => boolean): Promise<void> {
    const { seed, operator } = this.#options;
    const random = createRandom(seed + 1);
    while (goesOn()) {
      // Now and then all at once, as scripts do.
      for (let burst = random.chance(0.05) ? 40 : 1; burst > 0 && goesOn(); burst--) await operator.act();
      await wait(random.integer(0, 10));
    }
  }

  /** Most of the time several things are wrong at once. */
  async #breakThings(goesOn: () => boolean, gapMs: number): Promise<void> {
    const { faults } = this.#options;
    const lasting: Promise<void>[] = [];
    const ending = new AbortController();
    setMaxListeners(0, ending.signal); // one for each fault that lasts
    const end = async (undo: Undo, afterMs: number) => {
      await wait(afterMs, undefined, { signal: ending.signal }).catch(() => undefined); // aborted: ends now
      await undo();
    };
    while (goesOn()) {
      if (this.#kindsToCome.length === 0) this.#kindsToCome.push(...shuffled(faults.kinds, this.#random));
      const undo = await faults.inject(this.#kindsToCome.pop() ?? '');
      lasting.push(end(undo, this.#random.integer(100, 1_500)));
      await wait(this.#random.integer(0, gapMs * 1.5));
    }
    ending.abort();
    await Promise.all(lasting);
  }

  async #changeListeners(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await wait(this.#random.integer(300, 1_500));
      await this.#options.audience.change();
    }
  }

  async #sync(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await this.#options.syncs.once({ withFaults: true });
      await wait(this.#random.integer(50, 500));
    }
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => [random.next(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
