/** The snapshots of a dataset from one listing to the next. Pure, and linear in their number: there may be tens of thousands. */
import { datasetOf, snapshotOf } from './dataset-names.js';
import type { DatasetSnapshot } from './inputs.js';
import { compact } from './json.js';

/**
 * The snapshots as listed, but with the known object for each unchanged one, so that nothing made from it is made again;
 * and the known array itself if none changed.
 */
export function keepKnown(
  known: readonly DatasetSnapshot[],
  listed: readonly DatasetSnapshot[],
): readonly DatasetSnapshot[] {
  if (listed.length === known.length && listed.every((each, index) => sameSnapshot(each, known[index])))
    return known;
  const byName = new Map(known.map((each) => [each.name, each]));
  return listed.map((each) => {
    const before = byName.get(each.name);
    return before !== undefined && sameSnapshot(each, before) ? before : compact(each);
  });
}

/** The known snapshots, of which those `asked` for are now as `found`, or gone. New ones come last, as in zfs's listings. */
export function replaceNamed(
  known: readonly DatasetSnapshot[],
  asked: ReadonlySet<string>,
  found: readonly DatasetSnapshot[],
): readonly DatasetSnapshot[] {
  const news = new Map(found.map((each) => [each.name, each]));
  let snapshots: (DatasetSnapshot | undefined)[] | undefined;
  for (const [index, before] of known.entries()) {
    if (!asked.has(before.name)) continue;
    const now = news.get(before.name);
    news.delete(before.name);
    if (now !== undefined && sameSnapshot(now, before)) continue;
    snapshots ??= [...known];
    snapshots[index] = now && compact(now);
  }
  if (snapshots === undefined && news.size === 0) return known;
  const kept = snapshots?.filter((each) => each !== undefined) ?? known;
  return [...kept, ...[...news.values()].map((each) => compact(each))];
}

/** The names of the known snapshots that follow directly on some that are gone: `asked` for and not `found`. */
export function followersOf(
  known: readonly DatasetSnapshot[],
  asked: ReadonlySet<string>,
  found: readonly DatasetSnapshot[],
): readonly string[] {
  const gone = new Set(asked);
  for (const { name } of found) gone.delete(name);
  if (gone.size === 0) return [];
  return known.flatMap(({ name }, index) => {
    const before = known[index - 1];
    return before !== undefined && gone.has(before.name) && !gone.has(name) ? [name] : [];
  });
}

/** The part after the `@` of each snapshot's name, by dataset. Names of datasets are skipped. */
export function snapshotsByDataset(fullNames: Iterable<string>): ReadonlyMap<string, ReadonlySet<string>> {
  const byDataset = new Map<string, Set<string>>();
  for (const fullName of fullNames) {
    const snapshot = snapshotOf(fullName);
    if (snapshot === undefined) continue;
    const dataset = datasetOf(fullName);
    const others = byDataset.get(dataset);
    if (others === undefined) byDataset.set(dataset, new Set([snapshot]));
    else others.add(snapshot);
  }
  return byDataset;
}

function sameSnapshot(a: DatasetSnapshot, b: DatasetSnapshot | undefined): boolean {
  return a.name === b?.name && a.createdAt === b.createdAt && a.size === b.size && a.userrefs === b.userrefs;
}
