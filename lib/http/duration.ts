/** Durations as `/status` shows them, in the platform's form. Pure. */

const units = [
  ['d', 86_400_000_000_000n],
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
  ['ms', 1_000_000n],
  ['us', 1_000n],
  ['ns', 1n],
] as const;

/**
 * Nanoseconds as `<seconds>.<9 digits>s (<n><unit>)`, in the largest unit in which the value is at least one.
 *
 * @example prettyDuration(12_345_678_901n) // '12.345678901s (12.35s)'
 */
export function prettyDuration(nanoseconds: bigint): string {
  return `${hrtime(nanoseconds)}s (${shortDuration(nanoseconds)})`;
}

/** Nanoseconds as `<n><unit>`, with at most two decimals. */
export function shortDuration(nanoseconds: bigint): string {
  const [unit, size] = units.find(([, each]) => nanoseconds >= each) ?? (['ns', 1n] as const);
  return `${Number((Number(nanoseconds) / Number(size)).toFixed(2))}${unit}`;
}

/** Nanoseconds as `<seconds>.<9 digits>`. */
export function hrtime(nanoseconds: bigint): string {
  return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, '0')}`;
}
