/**
 * Every limit, timeout and period of the daemon, with its unit and its reason. Constants only.
 */

/** Where the platform's vminfod listens, and so where its clients look. */
export const defaultPort = 9090;
export const defaultListen = '127.0.0.1';

// Host: reading the system (lib/host).

/** Milliseconds that zoneadm and kstat may take. They take tens; past this the kernel or a lock is stuck. */
export const commandTimeoutMs = 10_000;

/** Milliseconds that a `zfs list` of named datasets may take: hundreds when the pool is loaded, but never minutes. */
export const zfsListTimeoutMs = 30_000;

/** Milliseconds that a full `zfs list` may take: minutes are normal with many snapshots on a loaded host. */
export const zfsFullListTimeoutMs = 15 * 60_000;

/** Bytes of each of a command's outputs. A line of `zfs list` has about 150, so this is about 800,000 snapshots. */
export const commandMaxBytes = 128 * 1024 * 1024;

/** Bytes of a file that we read whole. metadata.json, the largest, has a few hundred KiB at most. */
export const fileMaxBytes = 16 * 1024 * 1024;

/** Characters of a command's stderr, or of an unreadable line, that an error keeps: enough to see what it says. */
export const errorTextMaxChars = 2_000;

/** Lines of one listing that may be unreadable before the whole is refused: then it is no listing at all. */
export const listingMaxErrors = 100;

/** Lines of `zfs list` parsed before others get their turn: about 2 ms on a slow core. */
export const zfsLinesPerSlice = 1_000;

// Queries

/** Keys in a dotted key such as `tags.triton.cns.services`. Nothing in a VM is as deep; it bounds what a query can cost. */
export const maxSelectorKeys = 32;

/** Characters of a `~regex` in a filter: more than anyone types, little enough to compile in no time. */
export const maxPatternLength = 128;

/**
 * Instructions of a compiled `~regex`. Matching is linear in the text, but each character can cost as much as there are
 * instructions: 100 keep the worst at a few microseconds a character, and hold a pattern for a UUID twice.
 */
export const maxPatternInstructions = 100;

