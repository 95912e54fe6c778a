/**
 * Takes a fact into the state: the only place that writes to it. Synchronous; returns follow-up requests and commits.
 *
 * Older never replaces newer; a failure keeps the last good value; what an event announced is believed only once it has
 * been read.
 */
import { backoffLimits } from '../config.js';
import { backoff } from '../operators/backoff.js';
import type { ListedFinding, SysinfoFinding } from '../host/findings.js';
import type { WatchRequest } from '../sources/file-events.js';
import type { SourceName } from '../sources/invalidation.js';
import { zoneInputs } from '../vm/inputs.js';
import type { Fact, Found, RescanEnded } from './facts.js';
import type { FailingInput } from './load-errors.js';
import { noOccasion, requestsFor, zoneRequest, type Occasion, type Request } from './requests.js';
import type { Rescans } from './rescans.js';
import type { HostState } from './state.js';
import { takeDatasets, takeDatasetsFailed, takeDatasetsListed } from './take-datasets.js';
import { takeZone } from './take-zone.js';
import type { Commit } from './vm-store.js';

/** A request that follows from a fact. */
export interface FollowUp {
  readonly request: Request;
  readonly afterMs: number;
  /** It is made only if this input still cannot be read by then. */
  readonly retries?: {
    readonly zone: string;
    readonly input: FailingInput;
    readonly name?: string | undefined;
  };
}

/** What comes of a fact. */
export class Taken {
  readonly commits: Commit[] = [];
  readonly followUps: FollowUp[] = [];
  /** Which files are to be watched, before the follow-ups are read. */
  readonly watches: WatchRequest[] = [];

  /** A change of a VM, if there is one. The rescan that found it records it as missed, unless a source had reported it. */
  commit(commit: Commit | undefined, { noticedAt, rescan }: Occasion, source: SourceName): void {
    if (commit === undefined) return;
    this.commits.push(commit);
    if (noticedAt === undefined) rescan?.finds(source, commit);
  }

  /** To be read next. */
  ask(request: Request, afterMs = 0): void {
    this.followUps.push({ request, afterMs });
  }
}

/** Takes a fact into the state. */
export function take(state: HostState, rescans: Rescans, fact: Fact): Taken {
  const taken = new Taken();
  switch (fact.type) {
    case 'zone':
      takeZone(state, fact, taken);
      break;
    case 'datasets':
      takeDatasets(state, fact, taken);
      break;
    case 'datasets-failed':
      takeDatasetsFailed(state, fact, taken);
      break;
    case 'sysinfo':
      takeSysinfo(state, fact, taken);
      break;
    case 'listed':
      rescans.listed(fact);
      if (fact.what === 'zoneadm list') takeZonesListed(state, fact, taken);
      if (fact.what === 'zfs list') takeDatasetsListed(state, fact, taken);
      break;
    case 'stale':
      for (const request of requestsFor(state, fact.invalidation, fact.occasion)) taken.ask(request);
      break;
    case 'rescan-read':
      break;
    case 'rescan-ended':
      takeRescanEnded(state, rescans, fact, taken);
  }
  return taken;
}

/** zoneadm is asked by name for zones that its listing lacks, or has in an unreadable line: only that answer deletes a VM. */
function takeZonesListed(state: HostState, fact: Found<ListedFinding>, taken: Taken): void {
  const { names, unreadable, readAt, occasion } = fact;
  if (names === undefined) return;
  const isLacking = (zonename: string) =>
    !names.has(zonename) && (state.zones.get(zonename)?.known.record?.readAt ?? 0) < readAt;
  for (const zonename of new Set([...[...state.zones.names()].filter(isLacking), ...unreadable])) {
    taken.ask(zoneRequest(zonename, zoneInputs, occasion));
  }
}

/** Every VM shows some of it. They are assembled one after the other, so that nobody waits for all of them. */
function takeSysinfo(state: HostState, { sysinfo, occasion }: Found<SysinfoFinding>, taken: Taken): void {
  if (sysinfo === undefined || JSON.stringify(sysinfo) === JSON.stringify(state.sysinfo)) return;
  state.sysinfo = sysinfo;
  for (const zonename of state.zones.names()) taken.ask(zoneRequest(zonename, [], occasion));
}

/** The first load is repeated until zoneadm and zfs answer: exiting instead would put the service into maintenance. */
function takeRescanEnded(state: HostState, rescans: Rescans, { rescan }: RescanEnded, taken: Taken): void {
  const failures = rescans.end(rescan);
  taken.watches.push({ type: 'mend' });
  if (failures === 0) {
    if (!state.isLoaded && rescan.scope === 'everything') state.store.loaded();
    return;
  }
  const reason = state.isLoaded ? 'the last one failed' : rescan.reason;
  const afterMs = backoff(failures, backoffLimits.minMs, backoffLimits.maxMs);
  taken.ask({ ...noOccasion, lane: 'rescan', scope: rescan.scope, reason }, afterMs);
}
