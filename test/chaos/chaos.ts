/**
 * The chaos test: storms of operator actions and faults over a daemon, and a comparison with the truth after each.
 *
 * The seed determines the actions, but not their timing relative to the daemon.
 */
import { Subject } from 'rxjs';
import { createRandom, createSimulatedHost, type SimulatedHost } from '../../lib/simulator/index.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import { Audience } from './audience.js';
import { Client, startOn } from './client.js';
import { Comparison } from './comparison.js';
import { createFaults } from './faults.js';
import { Findings } from './findings.js';
import { createOperator } from './operator.js';
import { probe, type Seen } from './probe.js';
import { Storms } from './storm.js';
import { Syncs } from './syncs.js';
import { total, type Trail } from './trail.js';

export interface ChaosOptions {
  readonly seed: number;
  /** For how long storms begin. There is one at least. */
  readonly seconds: number;
  /** How long a storm lasts, in seconds; then there is a comparison. Default 20. */
  readonly stormSeconds?: number;
  /** How many zones the host has. Default 100. */
  readonly zones?: number;
  /** Called with progress, a line at a time. */
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

/** Runs the chaos test. Rejects only for errors that are not findings, such as a bug in the test. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const host = await createSimulatedHost({ vms: options.zones ?? 100, seed: options.seed });
  try {
    return await chaosOn(host, options);
  } finally {
    await host.remove();
  }
}

async function chaosOn(host: SimulatedHost, options: ChaosOptions): Promise<ChaosReport> {
  const { seed, seconds, stormSeconds = 20, zones = 100, onProgress } = options;
  const startedAt = Date.now();
  const findings = new Findings();
  const { trail, problem, vanished } = findings;
  trail.note(`on ${host.root}`);
  const zonename = await host.createZone({ alias: 'synced' });
  const operator = createOperator({ host, seed, zones, trail, vanished, except: zonename });
  const faults = createFaults({
    host,
    random: createRandom(seed ^ 0xfa117),
    trail,
    onVanished: (each) => vanished.add(each),
    onProblem: problem,
  });
  const requests = new Subject<Invalidation>();
  const seen: Seen = { pings: 0, pingMs: 0, loopMs: 0, children: 0 };
  const daemon = await startOn(host.root, requests, faults.watch);
  const { url } = daemon;
  const over = new AbortController();
  const ended = daemon.ended.catch((error: unknown) => {
    problem(`the daemon ended: ${error instanceof Error ? error.stack : String(error)}`);
  });
  let audience: Audience | undefined;
  let probing: Promise<void> | undefined;
  let storms = 0;
  try {
    const client = new Client(url);
    await client.untilReady();
    audience = await Audience.at(url, findings);
    const syncs = new Syncs({ host, url, zonename, findings });
    const parts = { host, seed, client, requests, operator, faults, syncs, audience, findings };
    const weather = new Storms(parts);
    const comparison = new Comparison(parts);
    probing = probe(url, seen, problem, over.signal);
    do {
      await weather.rage(stormSeconds);
      storms++;
      await comparison.afterRescan();
      if (findings.isFine()) await comparison.afterCalm();
      onProgress?.(
        `storm ${storms}: ${total(trail.actions)} actions, ${total(trail.faults)} faults, ` +
          `${total(trail.events)} events, ${findings.problems.length} problems`,
      );
    } while (Date.now() < startedAt + seconds * 1000 && findings.isFine());
  } finally {
    over.abort();
    await probing;
    audience?.close();
    await daemon.close();
    await ended;
  }
  return {
    trail,
    faultKinds: faults.kinds,
    storms,
    listeners: audience.opened,
    seen,
    checked: findings.checked,
    problems: findings.problems,
    seconds: (Date.now() - startedAt) / 1000,
  };
}
