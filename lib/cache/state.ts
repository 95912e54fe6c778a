/**
 * Everything that is known of the host, and the VMs made from it. Only `take` (take.ts) changes it; everyone else only
 * reads.
 */
import type { Logger } from 'pino';
import { Warnings } from '../warnings.js';
import { assemble } from '../vm/assemble.js';
import { Clock } from '../vm/clock.js';
import type { Sysinfo, ZoneInputs } from '../vm/inputs.js';
import { datasetsOf } from '../vm/storage.js';
import { DatasetTable } from '../vm/dataset-table.js';
import { LoadErrors } from './load-errors.js';
import type { Commit, VmStore } from './vm-store.js';
import { ZoneIndex } from '../vm/zone-index.js';
import { ZoneTable, type Zone } from './zone-table.js';

/** What is known. */
export class HostState {
  readonly clock = new Clock();
  readonly zones = new ZoneTable();
  readonly datasets = new DatasetTable();
  readonly index = new ZoneIndex();
  readonly errors: LoadErrors;
  readonly store: VmStore;
  sysinfo: Sysinfo = {};
  readonly #warnings: Warnings;

  constructor(store: VmStore, log: Logger) {
    this.store = store;
    this.errors = new LoadErrors(log);
    this.#warnings = new Warnings(log);
  }

  /** False until the first load is done. */
  get isLoaded(): boolean {
    return this.store.snapshot.value.loaded;
  }

  /** True for a zone that has a VM object. */
  hasVm(zonename: string): boolean {
    return this.store.snapshot.value.vms.has(zonename);
  }

  /** Forgets what no reading that is still under way can need. */
  prune(): void {
    this.zones.prune(this.clock.oldest);
    this.datasets.prune(this.clock.oldest);
  }

  /** Finds a zone by the datasets that these inputs name from now on. Returns their names, the root first. */
  indexDatasets(zone: Zone, inputs: ZoneInputs): readonly string[] {
    const datasets = datasetsOf(inputs);
    const { zonepath } = inputs.record;
    const root = zonepath === '' ? undefined : datasets[0];
    this.index.set(zone.zonename, { zonepath, root, datasets });
    this.errors.keepDatasets(zone.zonename, new Set(datasets));
    return datasets;
  }

  /** Assembles a VM; a difference becomes a commit. */
  commit(inputs: ZoneInputs, noticedAt: number | undefined): Commit | undefined {
    const { vm, warnings } = assemble(inputs);
    for (const warning of warnings) this.#warnings.warn(vm.zonename, warning);
    return this.store.put(vm, noticedAt);
  }
}
