/**
 * The order of things, without wall time: each read and each invalidation gets a number when it begins. What was
 * read from 7 on has seen whatever was invalidated at 6; older data never replaces newer.
 */
export interface Clock {
  /** The next number. */
  tick(): number;
}

/** Begins at 1. */
export function createClock(): Clock {
  let now = 0;
  return { tick: () => ++now };
}
