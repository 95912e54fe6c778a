/**
 * Every limit, timeout and period of the daemon, with its unit and its reason. Constants only.
 */

/** Where the platform's vminfod listens, and so where its clients look. */
export const defaultPort = 9090;
export const defaultListen = '127.0.0.1';

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
