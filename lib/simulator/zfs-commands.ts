/**
 * zfs(8) as an operator runs it: finds the subcommand, runs it as one transaction, writes what it changed and posts its
 * events. A command that fails halfway keeps what it did until then.
 */
import type { Paths } from './paths.js';
import type { HistoryEvent } from './sysevents.js';
import { clone, create, promote, rename } from './zfs-datasets.js';
import { destroy } from './zfs-destroy.js';
import { ZfsError } from './zfs-error.js';
import { abortReceive } from './zfs-receive.js';
import { inherit, set } from './zfs-set.js';
import { bookmark, diff, hold, release, renameSnapshot, rollback, snapshot } from './zfs-snapshots.js';
import { ZfsTransaction } from './zfs-transaction.js';

type Subcommand = (transaction: ZfsTransaction, argv: readonly string[]) => void;

const subcommands: Readonly<Record<string, Subcommand>> = {
  bookmark,
  clone,
  create,
  destroy,
  diff,
  hold,
  inherit,
  promote,
  release,
  rename: (transaction, argv) => {
    (argv.some((each) => each.includes('@')) ? renameSnapshot : rename)(transaction, argv);
  },
  receive: (transaction, argv) => {
    if (argv[0] !== '-A' || argv[1] === undefined)
      throw new ZfsError(2, 'receive: only -A <dataset> is a command here');
    abortReceive(transaction, argv[1]);
  },
  rollback,
  set,
  snapshot,
  /** All our datasets have the newest version. */
  upgrade: () => undefined,
};

/** The supported subcommands. */
export const zfsSubcommands: readonly string[] = Object.keys(subcommands);

/** Runs `zfs <argv>`. Throws a {@link ZfsError} where the real command fails; returns the events that it posted. */
export function runZfs(paths: Paths, argv: readonly string[]): readonly HistoryEvent[] {
  const [name = '', ...rest] = argv;
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand === undefined) {
    throw new ZfsError(2, `unrecognized command '${name}' (simulated are ${zfsSubcommands.join(', ')})`);
  }
  return inTransaction(paths, (transaction) => {
    subcommand(transaction, rest);
  });
}

/** Runs `work` as one zfs command. */
export function inTransaction(
  paths: Paths,
  work: (transaction: ZfsTransaction) => void,
): readonly HistoryEvent[] {
  const transaction = new ZfsTransaction(paths);
  try {
    work(transaction);
  } finally {
    transaction.commit();
  }
  return transaction.events;
}
