/**
 * The files in filesystems, as far as a VM's object depends on them: what is below a mountpoint in the tree, without the
 * filesystems mounted further down. A snapshot keeps them, a rollback restores them, a clone has a copy of them.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readJson, removeFile, replaceFile } from './files.js';
import type { Paths } from './paths.js';
import type { SimulatedDataset, SimulatedSnapshot, ZfsStore } from './zfs-store.js';

type SavedFiles = Readonly<Record<string, { readonly text: string; readonly mtimeMs: number }>>;

/** Where in the tree a filesystem is mounted; undefined for a volume, a pool, and one that the global zone does not mount. */
export function mountDirectory(paths: Paths, store: ZfsStore, dataset: SimulatedDataset): string | undefined {
  if (dataset.type !== 'filesystem' || !dataset.name.includes('/')) return undefined;
  if (store.effective(dataset, 'zoned') === 'on' || store.effective(dataset, 'canmount') === 'off')
    return undefined;
  const mountpoint = store.mountpoint(dataset);
  return mountpoint.startsWith('/') ? paths.inTree(mountpoint) : undefined;
}

/** Makes the directory of a filesystem. */
export function mount(paths: Paths, store: ZfsStore, dataset: SimulatedDataset): void {
  const directory = mountDirectory(paths, store, dataset);
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
}

/** Removes the directory of a filesystem with all that is in it. */
export function unmount(directory: string | undefined): void {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
}

/** Applies a changed mountpoint: the filesystem's files move along, and hide what was in the directory. */
export function moveMount(before: string | undefined, after: string | undefined): void {
  if (before === undefined || after === undefined || before === after || !existsSync(before)) return;
  rmSync(after, { recursive: true, force: true });
  mkdirSync(dirname(after), { recursive: true });
  renameSync(before, after);
}

/** Keeps the files of a filesystem for a snapshot. */
export function saveFiles(
  paths: Paths,
  store: ZfsStore,
  dataset: SimulatedDataset,
  snapshot: SimulatedSnapshot,
): void {
  const directory = mountDirectory(paths, store, dataset);
  if (directory === undefined || !existsSync(directory)) return;
  const files = filesBelow(directory, mountsBelow(paths, store, dataset)).map((file) => {
    const { mtimeMs } = statSync(file);
    return [relative(directory, file), { text: readFileSync(file, 'utf8'), mtimeMs }] as const;
  });
  if (files.length === 0) return;
  snapshot.files = `snapshot-${snapshot.id}`;
  replaceFile(paths.savedFiles(snapshot.files), JSON.stringify(Object.fromEntries(files)));
}

/** Drops the files of a snapshot. */
export function forgetFiles(paths: Paths, snapshot: SimulatedSnapshot): void {
  // Snapshots of the scenario share the files that their zone began with.
  if (snapshot.files === `snapshot-${snapshot.id}`) removeFile(paths.savedFiles(snapshot.files));
}

/**
 * Makes the files of a filesystem those of a snapshot: others are removed, changed ones replaced with the old
 * modification time, unchanged ones left alone (on ZFS they keep their inode). No file is rewritten in place.
 */
export function restoreFiles(
  paths: Paths,
  store: ZfsStore,
  dataset: SimulatedDataset,
  snapshot: SimulatedSnapshot,
): void {
  const directory = mountDirectory(paths, store, dataset);
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  const saved = (
    snapshot.files === undefined ? {} : (readJson(paths.savedFiles(snapshot.files)) ?? {})
  ) as SavedFiles;
  for (const file of filesBelow(directory, mountsBelow(paths, store, dataset))) {
    if (saved[relative(directory, file)] === undefined) removeFile(file);
  }
  for (const [name, { text, mtimeMs }] of Object.entries(saved)) {
    const file = join(directory, name);
    if (existsSync(file) && readFileSync(file, 'utf8') === text && statSync(file).mtimeMs === mtimeMs)
      continue;
    mkdirSync(dirname(file), { recursive: true });
    replaceFile(file, text, mtimeMs);
  }
}

function mountsBelow(paths: Paths, store: ZfsStore, dataset: SimulatedDataset): Set<string> {
  return new Set(
    store
      .below(dataset.name)
      .map((child) => mountDirectory(paths, store, child))
      .filter((directory) => directory !== undefined),
  );
}

function filesBelow(directory: string, mounts: ReadonlySet<string>): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return mounts.has(path) ? [] : filesBelow(path, mounts);
    return entry.isFile() ? [path] : [];
  });
}
