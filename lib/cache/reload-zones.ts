/**
 * Serves requests for zones: what was read of a zone is taken in together, so that one thing that happened to it shows
 * as one event. A batch runs at most one zoneadm and one zfs, and one kstat or, when a lone zone has a new zoneid, two.
 */
import { Observable } from 'rxjs';
import { goneRetriesMs, newstateRetriesMs, reloads } from '../config.js';
import type { Host } from '../host/host.js';
import { isInKernel } from '../host/zoneadm.js';
import type { ZoneInvalidation } from '../sources/invalidation.js';
import type { ZoneKstat, ZoneRecord } from '../vm/inputs.js';
import { datasetsOf } from '../vm/storage.js';
import type { HostState } from './host-state.js';
import { listNamed } from './list-datasets.js';
import { readZone, sharedCommands, type ZoneRead } from './read-zone.js';
import type { ZoneRequest } from './requests.js';
import { eachInSlices } from './slices.js';
import { ZoneXmlMissingError } from './zone-files.js';

/** What became of a request. */
export type ZoneOutcome =
  /** All that was asked for was read, or is on record as failed; the reading began at `readAt`. */
  | { readonly type: 'settled'; readonly zonename: string; readonly readAt: number }
  /** To be read again after a while. */
  | { readonly type: 'again'; readonly invalidation: ZoneInvalidation; readonly afterMs: number };

/** Serves batches of requests for zones. */
export interface ZoneLane {
  /** A zone sysevent announced a state: zoneadm is asked until it agrees, a few times. */
  expect(zonename: string, newstate: string): void;
  /** Never fails. */
  run(batch: readonly ZoneRequest[]): Observable<ZoneOutcome>;
}

/** Makes a lane. It keeps at most one expectation and one count of looks for each zone. */
export function zoneLane(host: Host, state: HostState): ZoneLane {
  const expectations = new Map<
    string,
    { readonly newstate: string; readonly since: number; attempts: number }
  >();
  const looks = new Map<string, number>();

  return {
    expect: (zonename, newstate) => {
      expectations.set(zonename, { newstate, since: state.clock.tick(), attempts: 0 });
    },
    run: (batch) =>
      new Observable((subscriber) => {
        const emit = (outcome: ZoneOutcome) => {
          subscriber.next(outcome);
        };
        serve(batch, emit).then(
          () => {
            subscriber.complete();
          },
          (error: unknown) => {
            subscriber.error(error);
          },
        );
      }),
  };

  async function serve(batch: readonly ZoneRequest[], emit: (outcome: ZoneOutcome) => void): Promise<void> {
    const commands = sharedCommands(host, state, batch);
    const read = (request: ZoneRequest) => readZone(host, state, request, commands);
    const isComplete = ({ zonename, datasets }: ZoneRequest) => state.isLoaded(zonename) && !datasets;
    await Promise.all([
      each(batch.filter(isComplete), async (request) => {
        const one = await read(request);
        await takeAll([one], emit);
      }),
      (async () => {
        const reads: ZoneRead[] = [];
        await each(
          batch.filter((request) => !isComplete(request)),
          async (request) => reads.push(await read(request)),
        );
        await takeAll(reads, emit, batch);
      })(),
    ]);
  }

  /** Takes in what was read of some zones, after listing the datasets they need in one go. */
  async function takeAll(
    reads: readonly ZoneRead[],
    emit: (outcome: ZoneOutcome) => void,
    requests: readonly ZoneRequest[] = [],
  ) {
    const needed = new Map<ZoneRead, readonly string[]>();
    for (const read of reads) {
      const all = requests.some(({ zonename, datasets }) => zonename === read.zonename && datasets);
      const names = datasetsNeeded(read, all);
      if (names.length > 0) needed.set(read, names);
      else take(read, emit);
    }
    if (needed.size === 0) return;
    const error = await tryToList(new Set([...needed.values()].flat()), needed.size > 1);
    if (error !== undefined && needed.size > 1) {
      // One of them is to blame, and it is to be the only one that fails.
      await each([...needed.keys()], (read) => takeAll([read], emit, requests));
      return;
    }
    for (const read of needed.keys()) {
      if (error === undefined) state.mended(read.zonename, 'datasets');
      else state.failed(read.zonename, 'datasets', error);
      // A VM appears complete or not at all; one that is there goes on with what is known of its datasets.
      if (error === undefined || state.isLoaded(read.zonename)) take(read, emit);
      else emit({ type: 'settled', zonename: read.zonename, readAt: read.readAt });
    }
  }

  async function tryToList(names: ReadonlySet<string>, shared: boolean): Promise<Error | undefined> {
    const listed = await listNamed(host, state, names, shared).catch(asError);
    if (listed instanceof Error) return listed;
    await state.takeListing(listed.listing);
    listed.done();
    return undefined;
  }

  /** All of a new VM's datasets; of a known one those that it did not name before: nobody listened to their events. */
  function datasetsNeeded(read: ZoneRead, all: boolean): readonly string[] {
    const { zonename, readings } = read;
    if (read.gone || read.xmlMissing) return [];
    const isLoaded = state.isLoaded(zonename);
    if (isLoaded && !all && readings.xml === undefined && readings.record === undefined) return [];
    const inputs = state.inputsWith(zonename, readings);
    const names = inputs === undefined ? [] : datasetsOf(inputs);
    if (all || !isLoaded) return names;
    const known = new Set(state.index.dependencies(zonename)?.datasets);
    return names.filter((name) => !known.has(name));
  }

  function take(read: ZoneRead, emit: (outcome: ZoneOutcome) => void): void {
    const { zonename, readAt, readings } = read;
    if (read.gone) {
      looks.delete(zonename);
      state.removeZone(zonename, readAt);
    } else if (read.xmlMissing) {
      lookForXml(read, emit);
    } else {
      looks.delete(zonename);
      // Without its record and XML a new zone has nothing to show: it is read whole when its load error is due.
      if (state.zones.has(zonename) || (readings.record && readings.xml)) state.takeZone(zonename, readings);
    }
    awaitNewstate(read, emit);
    emit({ type: 'settled', zonename, readAt });
  }

  /** An XML that is moved over from another filesystem is away for a moment: look again before the VM is deleted. */
  function lookForXml({ zonename, readAt, hasRecord }: ZoneRead, emit: (outcome: ZoneOutcome) => void): void {
    if (!state.isLoaded(zonename)) return;
    const look = looks.get(zonename) ?? 0;
    const afterMs = hasRecord ? goneRetriesMs[look] : 0;
    if (afterMs !== undefined) {
      looks.set(zonename, look + (hasRecord ? 1 : 0));
      emit({ type: 'again', invalidation: { type: 'zone', zonename, inputs: ['record', 'xml'] }, afterMs });
      return;
    }
    looks.delete(zonename);
    state.removeZone(zonename, readAt);
    state.failed(zonename, 'xml', new ZoneXmlMissingError(zonename));
  }

  /** The kernel announces a state before zoneadm shows it. */
  function awaitNewstate(
    { zonename, readAt, hasRecord, readings }: ZoneRead,
    emit: (outcome: ZoneOutcome) => void,
  ): void {
    const expectation = expectations.get(zonename);
    // What began before the announcement says nothing: `running` may be from before a reboot.
    if (expectation === undefined || !hasRecord || readAt < expectation.since) return;
    const afterMs = newstateRetriesMs[expectation.attempts++];
    const kstat = state.zones.readings(zonename)?.kstat?.value;
    if (afterMs === undefined || agrees(expectation.newstate, readings.record?.value, kstat)) {
      expectations.delete(zonename);
      return;
    }
    const inputs = ['record', 'kstat', 'xml', 'lastexited'] as const;
    emit({ type: 'again', invalidation: { type: 'zone', zonename, inputs }, afterMs });
  }
}

/**
 * Whether zoneadm shows what a zone sysevent announced, and kstat too: they are read side by side, so one may have been
 * read before the change and the other after it. Some states of the kernel are none of zoneadm's.
 */
export function agrees(
  newstate: string,
  record: ZoneRecord | undefined,
  kstat: ZoneKstat | undefined,
): boolean {
  switch (newstate) {
    case 'uninitialized':
    case 'initialized':
      return true;
    case '':
      return record === undefined;
    case 'free':
      return (record === undefined || !isInKernel(record)) && kstat === undefined;
    case 'running':
      return record?.state === newstate && kstat?.zoneid === record.zoneid && kstat.initPid > 0;
    default:
      return record?.state === newstate;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** Does it for each, a bounded number at a time. */
function each<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  return eachInSlices(items, reloads.maxZoneReads, act);
}
