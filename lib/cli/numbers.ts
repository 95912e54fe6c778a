/** Sizes, shares and ages in few enough characters for a narrow column. Pure. */

/** `512M`, `2G`, `1.5T`: at most five characters. */
export function shortSize(mebibytes: number): string {
  let value = mebibytes;
  for (const unit of ['M', 'G', 'T']) {
    if (Math.abs(value) < 1024) return `${rounded(value)}${unit}`;
    value /= 1024;
  }
  return `${rounded(value)}P`;
}

/** `45s`, `12m`, `3h`, `40d`, `2y`: at most four characters, up to 999 years. */
export function shortAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 100) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 100) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 100) return `${hours}h`;
  const days = Math.floor(hours / 24);
  return days < 1000 ? `${days}d` : `${Math.floor(days / 365)}y`;
}

/** A share from 0 to 1 as a bar of so many characters. */
export function bar(share: number, width: number): string {
  const full = Math.min(width, Math.max(0, Math.round(share * width)));
  return '█'.repeat(full) + '░'.repeat(width - full);
}

function rounded(value: number): string {
  return String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
}
