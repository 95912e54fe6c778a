/**
 * Takes in what was read of a zone, and decides what is still to be read and whether the zone is, or still is, a VM. A VM
 * appears complete, datasets included, or not at all.
 */
import { goneRetriesMs, newstateRetriesMs } from '../config.js';
import type { ZoneFinding } from '../host/findings.js';
import { ZoneXmlMissingError } from '../host/zone-files.js';
import type { SourceName } from '../sources/invalidation.js';
import { datasetOf } from '../vm/dataset-names.js';
import { zoneFiles, zoneInputs, type ZoneInput } from '../vm/inputs.js';
import { alreadyListed, listFirst } from '../vm/listing-needs.js';
import { agrees } from '../vm/newstate.js';
import type { Found, Origin } from './facts.js';
import { datasetRequests, noOccasion, zoneRequest, type Occasion } from './requests.js';
import type { HostState } from './state.js';
import type { Taken } from './take.js';
import type { Zone } from './zone-table.js';

type ZoneFact = Found<ZoneFinding>;

/** Takes in a fact about a zone. */
export function takeZone(state: HostState, fact: ZoneFact, taken: Taken): void {
  const { zonename, readAt, readings, occasion } = fact;
  const { record, xml } = readings;
  if (record?.type === 'read' && record.value === undefined) {
    removeZone(state, zonename, fact, taken);
    awaitNewstate(fact, undefined, taken);
    return;
  }
  const known = state.zones.get(zonename);
  // Only zoneadm decides whether a zone exists; a made-up name leaves no trace, not even an error.
  const zone = known ?? (record?.type === 'read' ? state.zones.add(zonename, readAt) : undefined);
  const isXmlNewest = readAt >= state.zones.readAt(zonename, 'xml');
  const isXmlMissing = isXmlNewest && xml?.type === 'read' && xml.value === undefined;
  const { xml: _xml, ...others } = readings;
  const present = isXmlMissing ? others : readings;
  if (zone === undefined) {
    if (record?.type !== 'failed') return;
    const isTold = occasion.noticedAt !== undefined || occasion.rescan !== undefined;
    if (isTold || state.errors.has(zonename, 'record') || state.errors.has(zonename, 'xml'))
      takeErrors(state, { ...fact, readings: { record } }, taken);
    for (const waiter of occasion.waiters) waiter.failed?.(record.error);
    return;
  }
  takeErrors(state, { ...fact, readings: present }, taken);
  const isXmlNews = xml !== undefined && xml.type !== 'unchanged' && zone.known.xml !== undefined;
  const { changed, outdated } = state.zones.take(zone, present, readAt);
  if (outdated.length > 0) taken.ask(zoneRequest(zonename, outdated, occasion));
  if (changed.includes('record')) followZonepath(zone, known === undefined, occasion, taken);
  // Its files are being read for somebody else, as where they are was not known when this reading began.
  else if (xml === undefined && zone.known.xml === undefined)
    taken.ask(zoneRequest(zonename, zoneFiles, occasion));
  // A search goes on only if it asks for more.
  if (fact.look !== undefined || (xml?.type === 'read' && !isXmlMissing)) zone.isLookedFor = false;
  if (isXmlMissing && !lookForXml(state, zone, fact, taken)) return;
  // Most of what a rescan reads is as it was: it is not assembled again.
  const isAsItWas = changed.length === 0 && zone.sysinfo === state.sysinfo;
  const isShown = state.hasVm(zonename) && zone.awaits.size === 0;
  if (!isAsItWas || !isShown) settle(state, zone, occasion, sourceOf(changed), taken);
  // zonecfg and zoneadm also write the XML when the zone's state changes, which makes up for a lost sysevent. Asked only
  // now, because the commands would slow down reading the file and telling listeners of it.
  if (isXmlNews && record === undefined) taken.ask(zoneRequest(zonename, ['record', 'kstat'], occasion));
  awaitNewstate(fact, zone, taken);
}

/** Assembles a zone from what is known, once all datasets that its VM shows have been listed. */
export function settle(
  state: HostState,
  zone: Zone,
  occasion: Occasion,
  source: SourceName,
  taken: Taken,
): void {
  const inputs = state.zones.inputs(zone, state.sysinfo, state.datasets);
  if (inputs === undefined || !state.datasets.isListed) return;
  const names = state.indexDatasets(zone, inputs);
  const root = state.index.dependencies(zone.zonename)?.root;
  for (const name of zone.listed) if (!names.includes(datasetOf(name))) zone.listed.delete(name);
  // Events held during the first load cover all changes of what it lists.
  if (!state.isLoaded) for (const name of alreadyListed(state.datasets, names, root)) zone.listed.add(name);
  const lane = state.isLoaded ? 'dataset' : 'below';
  const requests = datasetRequests(lane, listFirst(state.datasets, names, root, zone.listed), occasion);
  for (const request of requests) {
    const waiters = zone.awaits.get(request.name);
    // Once more for whoever has come since: a listing that began before they asked may lack what they are to see.
    if (!waiters || request.waiters.some((each) => !waiters.includes(each))) taken.ask(request);
  }
  zone.awaits = new Map(requests.map(({ name, waiters }) => [name, waiters]));
  zone.sysinfo = state.sysinfo;
  if (zone.awaits.size === 0) taken.commit(state.commit(inputs, occasion.noticedAt), occasion, source);
}

/** A listing that a zone waits for has arrived or failed. */
export function answered(state: HostState, zone: Zone, name: string, occasion: Occasion, taken: Taken): void {
  if (!zone.awaits.delete(name)) return;
  zone.listed.add(name);
  if (zone.awaits.size === 0) settle(state, zone, occasion, 'zfs-events', taken);
}

function removeZone(state: HostState, zonename: string, { readAt, occasion }: Origin, taken: Taken): boolean {
  if (!state.zones.remove(zonename, readAt)) return false;
  taken.watches.push({ type: 'unwatch', zonename });
  state.index.remove(zonename);
  state.errors.remove(zonename);
  taken.commit(state.store.delete(zonename, occasion.noticedAt), occasion, 'zone-events');
  return true;
}

/** For a zone that is new or has moved, all its files are watched and read at the new place. */
function followZonepath(zone: Zone, isNew: boolean, occasion: Occasion, taken: Taken): void {
  const zonepath = zone.known.record?.value?.zonepath ?? '';
  if (!isNew && zone.zonepath === zonepath) return;
  zone.zonepath = zonepath;
  taken.watches.push({ type: 'watch', zonename: zone.zonename, zonepath });
  taken.ask(zoneRequest(zone.zonename, zoneFiles, occasion));
}

/**
 * `mv` from another filesystem removes the XML for a moment, so it is looked for again before its VM is deleted. Other
 * readings meanwhile neither shorten nor prolong this. False when the VM is deleted.
 */
function lookForXml(state: HostState, zone: Zone, fact: ZoneFact, taken: Taken): boolean {
  const { zonename, occasion, look = 0 } = fact;
  const error = new ZoneXmlMissingError(zonename);
  if (!state.hasVm(zonename) || fact.readings.record?.type === 'failed') {
    zone.isLookedFor = false;
    putOnRecord(state, fact, 'xml', error, taken);
    return true;
  }
  if (look === 0 && zone.isLookedFor) return true;
  const last = goneRetriesMs.length;
  if (look === last && removeZone(state, zonename, fact, taken)) {
    putOnRecord(state, fact, 'xml', error, taken);
    return false;
  }
  zone.isLookedFor = true;
  // Once more if it was not deleted because zoneadm has been asked since.
  const next = { ...zoneRequest(zonename, ['record', 'xml'], occasion), look: Math.min(look + 1, last) };
  taken.ask(next, goneRetriesMs[look] ?? goneRetriesMs.at(-1));
  return true;
}

/** Records the inputs that failed and clears the errors of those that did not, unless something newer is known. */
function takeErrors(state: HostState, fact: ZoneFact, taken: Taken): void {
  const { zonename, readings, readAt } = fact;
  for (const input of Object.keys(readings) as ZoneInput[]) {
    const reading = readings[input];
    if (readAt < state.zones.readAt(zonename, input)) continue;
    if (reading?.type === 'failed') putOnRecord(state, fact, input, reading.error, taken);
    else state.errors.mended(zonename, input, readAt);
  }
}

function putOnRecord(state: HostState, fact: ZoneFact, input: ZoneInput, error: Error, taken: Taken): void {
  const { zonename, readAt } = fact;
  const afterMs = state.errors.failed(zonename, input, error, readAt);
  // A new record means a new zoneid, by which the kstat is found; and if the XML is missing, the zone may be gone, too.
  const inputs = input === 'record' ? (['record', 'kstat'] as const) : (['record', input] as const);
  const request = zoneRequest(zonename, state.zones.get(zonename) ? inputs : zoneInputs, noOccasion);
  taken.followUps.push({ request, afterMs, retries: { zone: zonename, input } });
}

/** The kernel announces a state before zoneadm shows it. */
function awaitNewstate(fact: ZoneFact, zone: Zone | undefined, taken: Taken): void {
  const { announced, readAt, readings, zonename, occasion } = fact;
  const { record } = readings;
  if (announced === undefined || record?.type !== 'read' || readAt <= announced.since) return;
  if (zone !== undefined) {
    if (announced.since < zone.announcedAt) return; // Another state has been announced since.
    zone.announcedAt = announced.since;
  }
  const afterMs = newstateRetriesMs[announced.looks];
  if (afterMs === undefined || agrees(announced.newstate, record.value, zone?.known.kstat?.value)) return;
  const request = zoneRequest(zonename, ['record', 'kstat', 'xml', 'lastexited'], occasion);
  taken.ask({ ...request, announced: { ...announced, looks: announced.looks + 1 } }, afterMs);
}

/** The source that should have reported a change of these inputs. */
function sourceOf(changed: readonly ZoneInput[]): SourceName {
  return changed.includes('record') || changed.includes('kstat') ? 'zone-events' : 'file-events';
}
