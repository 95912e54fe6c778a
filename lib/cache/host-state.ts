/**
 * All that is known of the host, and the one way by which it becomes VMs: whatever was read is taken in here, and
 * the VMs that depend on it are assembled and committed before the call is over.
 */
import type { Logger } from 'pino';
import type { Subject } from 'rxjs';
import type { WatchRequest } from '../sources/file-events.js';
import { assemble } from '../vm/assemble.js';
import type { Sysinfo, ZoneInputs } from '../vm/inputs.js';
import { datasetsOf } from '../vm/storage.js';
import { createClock, type Clock } from './clock.js';
import { DatasetTable, type DatasetChanges, type Listing } from './dataset-table.js';
import { LoadErrors, type FailingInput } from './load-errors.js';
import { allSteps, eachInSlices } from './slices.js';
import type { Commit, VmStore } from './vm-store.js';
import { ZoneIndex } from './zone-index.js';
import { ZoneTable, type Readings } from './zone-table.js';

export interface HostStateOptions {
  readonly store: VmStore;
  readonly watchRequests: Subject<WatchRequest>;
  readonly log: Logger;
}

/** What is known, and what became of it. */
export class HostState {
  readonly clock: Clock = createClock();
  readonly zones = new ZoneTable();
  readonly datasets = new DatasetTable();
  readonly index = new ZoneIndex();
  readonly errors = new LoadErrors();
  readonly store: VmStore;
  readonly #watchRequests: Subject<WatchRequest>;
  readonly #log: Logger;
  readonly #warned = new Set<string>();
  #sysinfo: Sysinfo = {};
  /** True until everything that the first commits need is there: until then nothing is assembled. */
  isLoading = true;

  constructor({ store, watchRequests, log }: HostStateOptions) {
    this.store = store;
    this.#watchRequests = watchRequests;
    this.#log = log;
  }

  /** What sysinfo says of the host itself. */
  get sysinfo(): Sysinfo {
    return this.#sysinfo;
  }

  /** True for a zone that has a VM object. */
  isLoaded(zonename: string): boolean {
    return this.store.snapshot.value.vms.has(zonename);
  }

  /** Asks for file events of a zone. Its files are read after this, so that nothing falls in between. */
  watch(zonename: string, zonepath: string): void {
    this.#watchRequests.next({ type: 'watch', zonename, zonepath });
  }

  /** Asks for the zone's files to be watched and read anew. */
  rearm(zonename: string): void {
    this.#watchRequests.next({ type: 'rearm', zonename });
  }

  /** What assembly would get if this had been read of the zone. */
  inputsWith(zonename: string, readings: Readings): ZoneInputs | undefined {
    const zones = new ZoneTable();
    zones.apply(zonename, { ...this.zones.readings(zonename), ...readings });
    return zones.inputs(zonename, this.#sysinfo, this.datasets);
  }

  /** Takes in what was read of a zone. */
  takeZone(zonename: string, readings: Readings): Commit | undefined {
    this.zones.apply(zonename, readings);
    return this.commit(zonename);
  }

  /** A zone is no more, as seen by a reading that began then. */
  removeZone(zonename: string, readAt: number): Commit | undefined {
    if (this.zones.has(zonename) && !this.zones.remove(zonename, readAt)) return undefined;
    this.#watchRequests.next({ type: 'unwatch', zonename });
    this.index.remove(zonename);
    this.errors.remove(zonename);
    return this.store.delete(zonename);
  }

  /** Takes in a listing of datasets, giving way as often as is due: it may be of hundreds of zones. */
  async takeListing(listing: Listing): Promise<void> {
    const changes = await allSteps(this.datasets.applying(listing));
    for (const mountpoint of changes.mountpoints) {
      // What is mounted over a directory gives no file event.
      const zonename = this.index.zoneAt(mountpoint);
      if (zonename !== undefined) this.rearm(zonename);
    }
    await eachInSlices(this.zonesAffected(changes), 1, (zonename) => void this.commit(zonename));
  }

  /** A dataset or snapshot was destroyed. */
  forgetDataset(name: string): void {
    const changes = this.datasets.forget(name, this.clock.tick());
    for (const zonename of this.zonesAffected(changes)) this.commit(zonename);
  }

  /** Takes in sysinfo. It is for the caller to commit the zones. True if it is another than before. */
  takeSysinfo(sysinfo: Sysinfo): boolean {
    const changed = JSON.stringify(sysinfo) !== JSON.stringify(this.#sysinfo);
    this.#sysinfo = sysinfo;
    return changed;
  }

  /** The zones whose VM objects show what changed. */
  zonesAffected({ names, mountpoints }: DatasetChanges): Set<string> {
    const zones = new Set<string>();
    for (const name of names) for (const zonename of this.index.zonesOf(name)) zones.add(zonename);
    for (const mountpoint of mountpoints) {
      const zonename = this.index.zoneAt(mountpoint);
      if (zonename !== undefined) zones.add(zonename);
    }
    return zones;
  }

  /** Assembles a zone from what is known; a difference becomes an event. */
  commit(zonename: string): Commit | undefined {
    if (this.isLoading) return undefined;
    const inputs = this.zones.inputs(zonename, this.#sysinfo, this.datasets);
    if (inputs === undefined) return undefined;
    const datasets = datasetsOf(inputs);
    const { zonepath } = inputs.record;
    this.index.set(zonename, { zonepath, root: zonepath === '' ? undefined : datasets[0], datasets });
    const { vm, warnings } = assemble(inputs);
    for (const warning of warnings) this.#warnOnce(zonename, warning);
    return this.store.put(vm);
  }

  /** An input of a zone could not be read: the last good value stays. */
  failed(zone: string, input: FailingInput, error: unknown): void {
    const cause = error instanceof Error ? error : new Error(String(error));
    if (this.errors.failed(zone, input, cause, Date.now())) {
      this.#log.warn({ zonename: zone, input }, `cannot read ${input} of zone ${zone}: ${cause.message}`);
    }
  }

  /** An input of a zone could be read. */
  mended(zone: string, input: FailingInput): void {
    if (this.errors.mended(zone, input))
      this.#log.info({ zonename: zone, input }, `${input} of zone ${zone} is readable again`);
  }

  /** An unknown attr is worth one line, not one per zone and reading. The number of such lines kept is bounded. */
  #warnOnce(zonename: string, warning: string): void {
    if (this.#warned.has(warning)) return;
    if (this.#warned.size > 10_000) this.#warned.clear();
    this.#warned.add(warning);
    this.#log.warn({ zonename }, `zone ${zonename}: ${warning}`);
  }
}
