/** How much room a dataset takes, in bytes: roughly as zfs counts it. */
import type { SimulatedDataset } from './zfs-store.js';

/** What a dataset refers to: everything ever written to it. */
export function referencedBy(dataset: SimulatedDataset): number {
  return dataset.snapshots.reduce((sum, { written }) => sum + written, dataset.written);
}

/** What goes when it is destroyed with all below it. `datasets`: at least those below it. */
export function usedBy(dataset: SimulatedDataset, datasets: readonly SimulatedDataset[]): number {
  return datasets
    .filter(({ name }) => name.startsWith(`${dataset.name}/`))
    .reduce((sum, each) => sum + ownUse(each), ownUse(dataset));
}

function ownUse(dataset: SimulatedDataset): number {
  const reserved = Number(dataset.properties['refreservation'] ?? 0);
  return Math.max(reserved, referencedBy(dataset)) + dataset.usedBySnapshots;
}
