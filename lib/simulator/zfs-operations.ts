/**
 * An operator's operations on datasets.
 */
import type { Operator } from './operator.js';
import type { HistoryEvent } from './sysevents.js';
import { inTransaction, runZfs } from './zfs-commands.js';
import { receive, type ReceiveOptions } from './zfs-receive.js';
import { ZfsStore, type SimulatedDataset } from './zfs-store.js';

/** The operations on datasets. */
export interface ZfsOperations {
  /**
   * Runs `zfs <argv>`, e.g. `host.zfs('set', 'quota=20g', dataset)`; resolves to the history events that it posted.
   * Rejects with a {@link ZfsError} where the real command fails. zfsSubcommands lists the supported subcommands.
   */
  zfs(...argv: readonly string[]): Promise<readonly HistoryEvent[]>;
  /** Runs `zfs send … | zfs receive …`. */
  receive(options: ReceiveOptions): Promise<readonly HistoryEvent[]>;
  /** Simulates writes to a dataset, in bytes: `written` grows, and its snapshots hold `overwritten` more. Posts no event. */
  writeData(dataset: string, written: number, overwritten?: number): Promise<void>;
  /** A dataset as the simulator keeps it, or undefined. */
  dataset(name: string): SimulatedDataset | undefined;
  /** Adds datasets as given, without an event. */
  importDatasets(datasets: readonly SimulatedDataset[]): Promise<void>;
}

/** The {@link ZfsOperations} of an operator. */
export function zfsOperations({ paths, exclusively }: Operator): ZfsOperations {
  return {
    zfs: (...argv) => exclusively(() => runZfs(paths, argv)),
    receive: (options) =>
      exclusively(() =>
        inTransaction(paths, (transaction) => {
          receive(transaction, options);
        }),
      ),
    writeData: (name, written, overwritten = 0) =>
      exclusively(() => {
        inTransaction(paths, (transaction) => {
          const dataset = transaction.dataset(name);
          dataset.written += written;
          if (dataset.snapshots.length > 0) dataset.usedBySnapshots += overwritten;
          transaction.store.put(dataset);
        });
      }),
    dataset: (name) => new ZfsStore(paths).find(name),
    importDatasets: (datasets) =>
      exclusively(() => {
        inTransaction(paths, (transaction) => {
          for (const dataset of datasets) transaction.store.put(dataset);
        });
      }),
  };
}
