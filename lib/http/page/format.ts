/** Times for people. Pure. */

/** The time of day where the reader is, and the day unless it is today: `12:03:11`, `Nov 26 12:03:11`. */
export function clockText(iso: string, now = new Date()): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const time = clock.format(date);
  return date.toDateString() === now.toDateString() ? time : `${day.format(date)} ${time}`;
}

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

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric' });
