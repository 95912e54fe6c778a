/**
 * The rows that commands/zfs-list.awk prints: the columns of `zfs list -H -p` in its order (mountpoint last),
 * then those that are only listed when they are asked for; each dataset followed by its snapshots by age and its bookmarks.
 */
import { unlimited } from './zfs-properties.js';
import type { SimulatedDataset, SimulatedSnapshot, ZfsStore } from './zfs-store.js';
import { referencedBy, usedBy } from './zfs-usage.js';

const columns = [
  ...[
    'compression',
    'creation',
    'filesystem_limit',
    'name',
    'quota',
    'recsize',
    'refquota',
    'refreservation',
  ],
  ...['snapshot_limit', 'type', 'usedbysnapshots', 'userrefs', 'volblocksize', 'volsize', 'written', 'zoned'],
  ...['mountpoint', 'referenced', 'used'],
] as const;

type Row = Readonly<Partial<Record<(typeof columns)[number], string | number>>>;

/** The text of a file of rows. */
export function renderRows(store: ZfsStore, datasets: readonly SimulatedDataset[]): string {
  return datasets
    .flatMap((dataset) => [
      {
        ...(dataset.type === 'volume' ? volumeRow(store, dataset) : filesystemRow(store, dataset)),
        ...room(dataset),
      },
      ...dataset.snapshots.map((snapshot) => snapshotRow(dataset, snapshot)),
      ...dataset.bookmarks.map(({ name, creation }) => ({
        name: `${dataset.name}#${name}`,
        type: 'bookmark',
        creation,
      })),
    ])
    .map(toLine)
    .join('');

  /** A pool's is not known: the rest of it is in other files. */
  function room(dataset: SimulatedDataset): Row {
    if (!dataset.name.includes('/')) return {};
    return { referenced: referencedBy(dataset), used: usedBy(dataset, datasets) };
  }
}

function filesystemRow(store: ZfsStore, dataset: SimulatedDataset): Row {
  const value = (property: string): string | number => store.effective(dataset, property) ?? '-';
  return {
    ...commonColumns(store, dataset),
    filesystem_limit: limit(value('filesystem_limit')),
    quota: value('quota'),
    recsize: value('recordsize'),
    refquota: value('refquota'),
    zoned: value('zoned'),
    mountpoint: String(value('mountpoint')).replaceAll('\n', '\x01').replaceAll('\t', '\x02'),
  };
}

function volumeRow(store: ZfsStore, dataset: SimulatedDataset): Row {
  return {
    ...commonColumns(store, dataset),
    volblocksize: dataset.properties['volblocksize'] ?? '-',
    volsize: dataset.properties['volsize'] ?? '-',
  };
}

function commonColumns(store: ZfsStore, dataset: SimulatedDataset): Row {
  const value = (property: string): string | number => store.effective(dataset, property) ?? '-';
  return {
    compression: value('compression'),
    creation: dataset.creation,
    name: dataset.name,
    refreservation: value('refreservation'),
    snapshot_limit: limit(value('snapshot_limit')),
    type: dataset.type,
    usedbysnapshots: dataset.usedBySnapshots,
    written: dataset.written,
  };
}

function snapshotRow(dataset: SimulatedDataset, snapshot: SimulatedSnapshot): Row {
  return {
    creation: snapshot.creation,
    name: `${dataset.name}@${snapshot.name}`,
    type: 'snapshot',
    userrefs: snapshot.holds.length,
    volsize: snapshot.volsize ?? '-',
    written: snapshot.written,
  };
}

function limit(value: string | number): string | number {
  return value === unlimited ? '18446744073709551615' : value;
}

function toLine(row: Row): string {
  return `${columns.map((column) => row[column] ?? '-').join('\t')}\n`;
}
