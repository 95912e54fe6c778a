/**
 * The chaos test: storms of operator actions and faults over a daemon; after each, when all faults are over, one rescan
 * must make its cache what a daemon that has just started assembles from the same host; and then, without faults and
 * without a rescan, events alone must keep it so.
 *
 * What is done is determined by the seed; when it meets the daemon is not.
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { NEVER, Subject, type Observable } from 'rxjs';
import { startDaemon, type Daemon } from '../../lib/daemon.js';
import type { WatchSource } from '../../lib/host/file-messages.js';
import {
  createRandom,
  createSimulatedHost,
  type Random,
  type SimulatedHost,
} from '../../lib/simulator/index.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { get, type Status } from '../daemon/harness.js';
import { byZonename, differences, type Vms } from './compare.js';
import { createFaults, type Faults, type Undo } from './faults.js';
import { follow, type Follower } from './follower.js';
import { createOperator, type Operator } from './operator.js';
import { probe, type Seen } from './probe.js';
import { Trail, total } from './trail.js';

export interface ChaosOptions {
  readonly seed: number;
  /** For how long storms begin. There is one at least. */
  readonly seconds: number;
  /** How long a storm lasts, in seconds; then there is a comparison. Default 20. */
  readonly stormSeconds?: number;
  /** How many zones the host has. Default 100. */
  readonly zones?: number;
  /** Told how it goes, a line at a time. */
  readonly onProgress?: (line: string) => void;
}

/** What a run did and found. */
export interface ChaosReport {
  readonly trail: Trail;
  readonly faultKinds: readonly string[];
  readonly storms: number;
  /** Listeners that were opened. */
  readonly listeners: number;
  readonly seen: Seen;
  /** Comparisons that were made, by what was compared. */
  readonly checked: ReadonlyMap<string, number>;
  /** What should not be; empty is good. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** Actions whose events alone must keep the cache true, after each storm. */
const calmActions = 40;
const listeners = 4;
const neverMs = 2 ** 31 - 1;
/** How long anything may take to settle: the longest backoff of a source is 30 s, and so is the slowest command's timeout. */
const settleMs = 60_000;
/** Longer than anything that is read again by itself, without a fault: see newstateRetriesMs. */
const soonMs = 4_000;

/** Runs the chaos test. Rejects only for what is no finding, such as a bug in the test. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const host = await createSimulatedHost({ vms: options.zones ?? 100, seed: options.seed });
  try {
    return await new Chaos(host, options).run();
  } finally {
    await host.remove();
  }
}

class Chaos {
  readonly #host: SimulatedHost;
  readonly #options: ChaosOptions;
  readonly #trail = new Trail();
  readonly #operator: Operator;
  readonly #faults: Faults;
  readonly #random;
  readonly #problems: string[] = [];
  readonly #checked = new Map<string, number>();
  readonly #vanished = new Set<string>();
  readonly #requests = new Subject<Invalidation>();
  readonly #seen: Seen = { pings: 0, pingMs: 0, loopMs: 0, children: 0 };
  readonly #kindsToCome: string[] = [];
  readonly #followers: Follower[] = [];
  #witness: Follower | undefined;
  #listeners = 0;
  #storms = 0;
  #url = '';

  constructor(host: SimulatedHost, options: ChaosOptions) {
    const { seed, zones = 100 } = options;
    this.#host = host;
    this.#options = options;
    this.#random = createRandom(seed ^ 0xc4a05);
    this.#operator = createOperator({ host, seed, zones, trail: this.#trail });
    this.#faults = createFaults({
      host,
      random: createRandom(seed ^ 0xfa117),
      trail: this.#trail,
      onVanished: (zonename) => this.#vanished.add(zonename),
    });
  }

  async run(): Promise<ChaosReport> {
    const startedAt = Date.now();
    this.#trail.note(`on ${this.#host.root}`);
    const daemon = await this.#start(this.#requests, this.#faults.watch);
    this.#url = daemon.url;
    const over = new AbortController();
    const ended = daemon.ended.catch((error: unknown) => {
      this.#problem(`the daemon ended: ${error instanceof Error ? error.stack : String(error)}`);
    });
    try {
      await this.#until('the daemon is ready', async () => (await get(`${this.#url}/ping`)).status === 200);
      this.#witness = await this.#openWitness();
      while (this.#followers.length < listeners) await this.#openListener();
      const probing = probe(this.#url, this.#seen, this.#problem, over.signal);
      const lastsUntil = startedAt + this.#options.seconds * 1000;
      do {
        await this.#storm(this.#options.stormSeconds ?? 20);
        this.#storms++;
        await this.#compareAfterRescan();
        if (this.#isFine()) await this.#compareAfterCalm();
        this.#options.onProgress?.(
          `storm ${this.#storms}: ${total(this.#trail.actions)} actions, ${total(this.#trail.faults)} faults, ` +
            `${total(this.#trail.events)} events, ${this.#problems.length} problems`,
        );
      } while (Date.now() < lastsUntil && this.#isFine());
      over.abort();
      await probing;
    } finally {
      over.abort();
      for (const follower of [this.#witness, ...this.#followers]) follower?.close();
      await daemon.close();
      await ended;
    }
    return {
      trail: this.#trail,
      faultKinds: this.#faults.kinds,
      storms: this.#storms,
      listeners: this.#listeners,
      seen: this.#seen,
      checked: this.#checked,
      problems: this.#problems,
      seconds: (Date.now() - startedAt) / 1000,
    };
  }

  /**
   * Actions and faults side by side, until every kind of fault has had its turn. It is over when all faults are, and the
   * sources run again.
   */
  async #storm(seconds: number): Promise<void> {
    const endsAt = Date.now() + seconds * 1000;
    const goesOn = () => (Date.now() < endsAt || !this.#hadAllFaults()) && this.#isFine();
    const gapMs = (seconds * 1000) / this.#faults.kinds.length;
    const healed = new AbortController();
    const weather = Promise.all([this.#breakThings(goesOn, gapMs), this.#changeListeners(goesOn)])
      .then(() => this.#until('all sources run', () => this.#sourcesRun()))
      .finally(() => {
        healed.abort();
      });
    // An operator does not wait for the daemon.
    await Promise.all([weather, this.#act(() => !healed.signal.aborted)]);
    await this.#operator.tidyUp();
    await this.#faults.repair();
    this.#trail.note('the storm is over');
  }

  async #act(goesOn: () => boolean): Promise<void> {
    const random = createRandom(this.#options.seed + 1);
    while (goesOn()) {
      // Now and then all at once, as scripts do.
      for (let burst = random.chance(0.05) ? 40 : 1; burst > 0 && goesOn(); burst--)
        await this.#operator.act();
      await wait(random.integer(0, 10));
    }
  }

  #hadAllFaults(): boolean {
    return this.#trail.faults.size === this.#faults.kinds.length;
  }

  /** Most of the time several things are wrong at once. Every kind has its turn before one comes again. */
  async #breakThings(goesOn: () => boolean, gapMs: number): Promise<void> {
    const lasting: Promise<void>[] = [];
    const ending = new AbortController();
    setMaxListeners(0, ending.signal); // one for each fault that lasts
    const end = async (undo: Undo, afterMs: number) => {
      await wait(afterMs, undefined, { signal: ending.signal }).catch(() => undefined); // aborted: ends now
      await undo();
    };
    while (goesOn()) {
      if (this.#kindsToCome.length === 0)
        this.#kindsToCome.push(...shuffled(this.#faults.kinds, this.#random));
      const undo = await this.#faults.inject(this.#kindsToCome.pop() ?? '');
      lasting.push(end(undo, this.#random.integer(100, 1_500)));
      await wait(this.#random.integer(0, gapMs * 1.5));
    }
    ending.abort();
    await Promise.all(lasting);
  }

  async #changeListeners(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await wait(this.#random.integer(300, 1_500));
      this.#followers.shift()?.close();
      await this.#openListener();
    }
  }

  async #openListener(): Promise<void> {
    this.#listeners++;
    this.#followers.push(await follow(this.#url, { onProblem: this.#problem }));
  }

  /** One that stays all the time, so that everything is counted once. */
  async #openWitness(): Promise<Follower> {
    return follow(this.#url, {
      onProblem: this.#problem,
      onEvent: (event) => {
        const { type, zonename, seq } = event;
        const what = type === 'modify' ? event.changes.map(({ prettyPath }) => prettyPath).join(' ') : '';
        this.#trail.event(type, `${zonename} seq ${seq} ${what}`);
        const mayBeGone = this.#vanished.has(zonename) || this.#operator.vanished.has(zonename);
        if (type === 'delete' && !mayBeGone)
          this.#problem(`${zonename} was deleted, but was there all the time`);
      },
    });
  }

  /** All faults are over: one rescan must mend whatever was missed. */
  async #compareAfterRescan(): Promise<void> {
    await this.#awaitBacklog();
    this.#requests.next({ type: 'everything', reason: 'the storm is over' });
    await this.#awaitIdle();
    const { loadErrors } = await this.#status();
    if (loadErrors.length > 0) this.#problem(`load errors after the rescan: ${JSON.stringify(loadErrors)}`);
    await this.#compare('after one rescan');
  }

  /** No faults, no rescan: events alone keep it true. */
  async #compareAfterCalm(): Promise<void> {
    this.#trail.note('calm begins');
    for (let left = calmActions; left > 0; left--) await this.#operator.act({ audible: true });
    await this.#compare('by events alone');
    await this.#operator.tidyUp();
    await this.#faults.repair();
  }

  /** What was posted before, and delivered late, has been taken in when a change that came after it shows. */
  async #awaitBacklog(): Promise<void> {
    await this.#until('all sources run', () => this.#sourcesRun());
    await this.#awaitIdle();
    const zonename = this.#host.zonenames().find((each) => {
      const { state, config, zonepath } = this.#host.zone(each);
      const hasRoot = this.#host.dataset(zonepath.slice(1)) !== undefined;
      return (
        state === 'running' &&
        config.brand !== 'bhyve' &&
        hasRoot &&
        this.#witness?.vms.get(each)?.zfs_filesystem
      );
    });
    if (zonename === undefined) throw new Error('no zone runs');
    const { zonepath } = this.#host.zone(zonename);
    const quota = 1_000 + this.#storms;
    await this.#host.zfs('set', `quota=${quota}g`, zonepath.slice(1));
    await this.#host.restartInit(zonename);
    const { initRestarts } = this.#host.zone(zonename);
    await this.#until(`${zonename} has quota ${quota} and init_restarts ${initRestarts}`, () => {
      const vm = this.#witness?.vms.get(zonename);
      return vm?.quota === quota && vm.init_restarts === initRestarts;
    });
  }

  async #sourcesRun(): Promise<boolean> {
    return (await this.#status()).sources.every(({ state }) => state === 'running');
  }

  async #awaitIdle(): Promise<void> {
    await this.#until('the queue is idle', async () => (await this.#status()).queue.idle);
  }

  /** The cache against a fresh daemon, and every listener against the cache. */
  async #compare(when: string): Promise<void> {
    const fresh = await this.#assembledAfresh();
    // What zoneadm does not show at once is looked for again a few times, so there is some time for it.
    const inTime = await this.#isSoon(async () => isSame(await this.#vms(), fresh));
    const vms = await this.#vms();
    if (!inTime) this.#differ(`the cache, ${when}`, vms, fresh);
    this.#count(`the cache equals a fresh daemon's, ${when}`);
    for (const follower of [this.#witness, ...this.#followers]) {
      if (follower === undefined) continue;
      await this.#isSoon(() => isSame(follower.vms, vms));
      this.#differ(`a listener of ${follower.events} events, ${when}`, follower.vms, vms);
      this.#count(`a listener's copy equals /vms, ${when}`);
    }
  }

  async #assembledAfresh(): Promise<Vms> {
    const daemon = await this.#start(NEVER);
    try {
      await this.#until('a fresh daemon is ready', async () => {
        const { state, queue } = await statusOf(daemon.url);
        return state === 'running' && queue.idle;
      });
      return await vmsOf(daemon.url);
    } finally {
      await daemon.close();
      await daemon.ended;
    }
  }

  #differ(what: string, actual: Vms, expected: Vms): void {
    const found = differences(actual, expected);
    for (const { zonename, lines } of found.slice(0, 3)) {
      const trail = this.#trail.of(zonename).map((line) => `\n      ${line}`);
      this.#problem(`${what}: ${zonename}: ${lines.join('; ')}${trail.join('')}`);
    }
    if (found.length > 3) this.#problem(`${what}: ${found.length} VMs differ`);
  }

  async #start(requests: Observable<Invalidation>, watch?: WatchSource): Promise<Daemon> {
    return startDaemon({
      root: this.#host.root,
      listen: '127.0.0.1',
      port: 0,
      rescanIntervalMs: neverMs,
      log: pino({ level: 'silent' }),
      requests,
      ...(watch !== undefined && { watch }),
    });
  }

  #isFine(): boolean {
    return this.#problems.length === 0;
  }

  #status(): Promise<Status> {
    return statusOf(this.#url);
  }

  #vms(): Promise<Vms> {
    return vmsOf(this.#url);
  }

  #count(check: string): void {
    this.#checked.set(check, (this.#checked.get(check) ?? 0) + 1);
  }

  readonly #problem = (problem: string) => {
    this.#trail.note(`PROBLEM ${problem}`);
    this.#problems.push(problem);
  };

  /** True when it holds soon: longer than anything is waited for that is read again by itself. */
  async #isSoon(holds: () => boolean | Promise<boolean>): Promise<boolean> {
    const deadline = Date.now() + soonMs;
    while (!(await holds())) {
      if (Date.now() > deadline) return false;
      await wait(20);
    }
    return true;
  }

  async #until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + settleMs;
    while (!(await holds())) {
      await wait(20);
      if (Date.now() <= deadline) continue;
      const { sources, queue, loadErrors } = await this.#status();
      throw new Error(
        `not within ${settleMs / 1000} s: ${what}\n${JSON.stringify({ sources, queue, loadErrors })}`,
      );
    }
  }
}

async function statusOf(url: string): Promise<Status> {
  return (await get(`${url}/status`)).json as Status;
}

async function vmsOf(url: string): Promise<Vms> {
  return byZonename((await get(`${url}/vms`)).json as VmObject[]);
}

function isSame(actual: Vms, expected: Vms): boolean {
  return differences(actual, expected).length === 0;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => [random.next(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}
