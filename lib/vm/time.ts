/** Dates as the VM object writes them. Files and kstats can hold any number: one that is not a valid date gives undefined. */

/** ISO with milliseconds; fractions of a millisecond are dropped. */
export function isoFromMillis(millis: number): string | undefined {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** ISO from whole seconds: the milliseconds are always `.000`. */
export function isoFromSeconds(seconds: number): string | undefined {
  return isoFromMillis(Math.floor(seconds) * 1000);
}
