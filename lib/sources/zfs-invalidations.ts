/**
 * What a ZFS history event makes stale. Pure. Any action that is not listed here means: list that dataset again. Only zfs
 * decides whether something was destroyed: the event may be late, or wrong.
 */
import { datasetOf, poolOf } from '../vm/dataset-names.js';
import type { Invalidation } from './invalidation.js';

/** The relevant part of a ZFS history event. */
export interface ZfsHistoryEvent {
  /** `history_internal_name` */
  readonly action: string;
  /** `history_dsname`; may name a snapshot. For a rename it is the old name. */
  readonly dataset: string;
  /** `history_internal_str` */
  readonly detail: string;
}

/** Names that ZFS gives to its own temporary datasets: `<dataset>/%rollback`, `<dataset>/%recv`. */
const temporary = /^(?<owner>.*)\/%[^/]*$/;

/**
 * The invalidations that follow from one event, in the order they apply.
 *
 * @example
 * zfsInvalidations({ action: 'set', dataset: 'zones/web', detail: 'quota=10737418240' })
 * // → the dataset zones/web, and whatever inherits from it
 */
export function zfsInvalidations({ action, dataset, detail }: ZfsHistoryEvent): readonly Invalidation[] {
  const owner = temporary.exec(datasetOf(dataset))?.groups?.['owner'];
  if (owner !== undefined) {
    return action === 'clone swap'
      ? [
          { type: 'dataset', name: owner },
          { type: 'files-replaced', dataset: owner },
        ]
      : [];
  }
  const name = datasetOf(dataset);
  switch (action) {
    case 'receive':
      return [];
    case 'snapshot':
    case 'hold':
    case 'release':
    case 'destroy':
      return [{ type: 'dataset', name: dataset }];
    case 'set':
    case 'inherit':
      return dataset === name
        ? [
            { type: 'dataset', name, propertiesOnly: true },
            { type: 'descendants', dataset: name },
          ]
        : [{ type: 'dataset', name: dataset }];
    case 'rename':
      return renamed(dataset, name, detail);
    case 'promote':
      return [
        { type: 'dataset', name },
        { type: 'descendants', dataset: poolOf(name) },
      ];
    default:
      return [{ type: 'dataset', name }];
  }
}

/**
 * `-> <new name>` or `-> @<new snapshot>`. Children and their snapshots post no events, and no zone is known to use the
 * new names yet, so the pool is listed.
 */
function renamed(dataset: string, name: string, detail: string): readonly Invalidation[] {
  const target = detail.startsWith('-> ') ? detail.slice(3) : '';
  if (target === '' || dataset.includes('@')) return [{ type: 'dataset', name }];
  return [
    { type: 'dataset', name },
    { type: 'dataset', name: target },
    { type: 'descendants', dataset: poolOf(target) },
  ];
}
