/** Takes in listings of datasets, and assembles the VMs that show these. */
import type { DatasetsFinding, ListedFinding } from '../host/findings.js';
import { datasetOf, levelOf, snapshotOf } from '../vm/dataset-names.js';
import type { DatasetChanges } from '../vm/dataset-table.js';
import { fullListingSettles, listBelow, settles, type ListingNeed } from '../vm/listing-needs.js';
import type { DatasetsFailed, Found, Origin } from './facts.js';
import {
  datasetRequests,
  mergeOccasions,
  noOccasion,
  zoneRequest,
  type DatasetRequest,
  type Occasion,
} from './requests.js';
import type { HostState } from './state.js';
import type { Taken } from './take.js';
import { answered, settle } from './take-zone.js';

/** Takes in a listing of datasets. */
export function takeDatasets(state: HostState, fact: Found<DatasetsFinding>, taken: Taken): void {
  const { listing, readAt, ends, occasion } = fact;
  const changes = state.datasets.take(listing, readAt);
  const outdated = [...changes.outdated].map((name) => ({ name, whole: false }));
  for (const request of datasetRequests('dataset', outdated, occasion)) taken.ask(request);
  const occasions = occasionsByZone(state, ends as readonly DatasetRequest[]);
  const names = state.errors.isEmpty
    ? []
    : [...listing.whole, ...listing.rows, ...listing.datasets.map((each) => each.name)];
  for (const zonename of new Set(names.flatMap((name) => [...state.index.zonesOf(datasetOf(name))]))) {
    settleErrors(state, zonename, fact, taken, (failed) => settles(state, listing, failed));
  }
  showChanges(state, changes, (zonename) => occasions.get(zonename) ?? occasion, taken);
  for (const { name } of ends as readonly DatasetRequest[]) {
    for (const zone of zonesOf(state, name)) {
      answered(state, zone, name, occasions.get(zone.zonename) ?? occasion, taken);
    }
  }
}

/**
 * Takes in that datasets could not be listed. If there were several, each is then listed alone, so that only the one at
 * fault fails; its VMs keep what is known, and it is retried.
 */
export function takeDatasetsFailed(state: HostState, fact: DatasetsFailed, taken: Taken): void {
  const { ends, error, readAt } = fact;
  if (ends.length > 1) {
    for (const request of ends) taken.ask({ ...request, alone: true });
    return;
  }
  for (const request of ends) {
    const { name, whole } = request;
    if (state.datasets.readAt(name) > readAt) {
      // What was listed since is no error. If more was to be listed than the dataset alone, it is listed again.
      if (whole) taken.ask({ ...request, alone: true });
      else for (const zone of zonesOf(state, name)) answered(state, zone, name, request, taken);
      continue;
    }
    for (const zone of zonesOf(state, name)) {
      const afterMs = state.errors.failed(zone.zonename, 'datasets', error, readAt, { name, whole });
      const retries = { zone: zone.zonename, input: 'datasets', name } as const;
      const again = { ...request, ...noOccasion, lane: 'dataset', alone: true } as const;
      taken.followUps.push({ request: again, afterMs, retries });
      // A VM can appear without the snapshot that protects it. A new VM cannot appear without its datasets.
      if (state.hasVm(zone.zonename) || snapshotOf(name) !== undefined)
        answered(state, zone, name, request, taken);
    }
  }
}

/** Takes in a listing of everything: datasets that it lacks, or that are too deep for it, are requested by name. */
export function takeDatasetsListed(state: HostState, fact: Found<ListedFinding>, taken: Taken): void {
  const { names, unreadable, readAt, occasion } = fact;
  if (names === undefined) return;
  const isFirst = !state.datasets.isListed;
  state.datasets.listed({ names, unreadable });
  if (occasion.rescan !== undefined) occasion.rescan.datasets = state.datasets.size;
  for (const name of state.datasets.names()) {
    if (levelOf(name) > 1 || names.has(name) || state.datasets.readAt(name) >= readAt) continue;
    if (unreadable.has(name) || state.index.use(name) === 'used') continue;
    showChanges(state, state.datasets.remove(name, readAt), () => occasion, taken);
  }
  const isKnown = (name: string) => state.datasets.byName(name) !== undefined;
  for (const zonename of state.errors.isEmpty ? [] : state.zones.names()) {
    settleErrors(state, zonename, fact, taken, (failed) => fullListingSettles(state, unreadable, failed));
  }
  for (const name of state.index.usedDatasets()) {
    const isRoot = state.index.isRoot(name);
    const isLacking = levelOf(name) < 2 && isKnown(name) && !names.has(name);
    const again = isLacking || state.datasets.isUnreadable(name);
    const needs = again ? [{ name, whole: isRoot }] : listBelow(state, name);
    for (const request of datasetRequests(again ? 'dataset' : 'below', needs, occasion)) taken.ask(request);
  }
  if (isFirst) for (const zonename of state.zones.names()) taken.ask(zoneRequest(zonename, [], occasion));
}

/**
 * Drops the errors that a listing has settled, except newer ones. Their retries go with them: what a zone waits for is asked
 * for again, unless this answers it.
 */
function settleErrors(
  state: HostState,
  zonename: string,
  { readAt, occasion, ends }: Origin,
  taken: Taken,
  isSettled: (failed: ListingNeed) => boolean,
): void {
  for (const failed of state.errors.listingsOf(zonename)) {
    if (failed.readAt > readAt || !isSettled(failed)) continue;
    const { name } = failed;
    state.errors.mended(zonename, 'datasets', readAt, name);
    const isAnswered = ends.some((request) => 'name' in request && request.name === name);
    const zone = state.zones.get(zonename);
    if (!isAnswered && zone?.awaits.delete(name) === true) settle(state, zone, occasion, 'zfs-events', taken);
  }
}

/** Assembles the VMs that show the changed datasets. */
function showChanges(
  state: HostState,
  { names, mountpoints }: DatasetChanges,
  occasionOf: (zonename: string) => Occasion,
  taken: Taken,
): void {
  const affected = new Set<string>();
  for (const name of names) for (const zonename of state.index.zonesOf(name)) affected.add(zonename);
  for (const mountpoint of mountpoints) {
    const zonename = state.index.zoneAt(mountpoint);
    if (zonename === undefined) continue;
    affected.add(zonename);
    // Mounting something over a directory causes no file event.
    taken.watches.push({ type: 'rearm', zonename });
  }
  for (const zonename of affected) {
    const zone = state.zones.get(zonename);
    if (zone !== undefined) settle(state, zone, occasionOf(zonename), 'zfs-events', taken);
  }
}

function zonesOf(state: HostState, name: string) {
  return [...state.index.zonesOf(datasetOf(name))].flatMap((zonename) => state.zones.get(zonename) ?? []);
}

/** Why each zone's datasets were listed: several requests may concern one zone. */
function occasionsByZone(
  state: HostState,
  requests: readonly DatasetRequest[],
): ReadonlyMap<string, Occasion> {
  const occasions = new Map<string, Occasion>();
  for (const request of requests) {
    for (const zonename of state.index.zonesOf(datasetOf(request.name))) {
      occasions.set(zonename, mergeOccasions(occasions.get(zonename) ?? noOccasion, request));
    }
  }
  return occasions;
}
