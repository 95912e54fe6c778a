/** Spans of time for people. Pure. */

/** How long, roughly: `now`, `12 s`, `3 min`, `5 h`, `12 d`. */
export function spanText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** How long ago. */
export function agoText(ms: number): string {
  const span = spanText(ms);
  return span === 'now' ? span : `${span} ago`;
}
