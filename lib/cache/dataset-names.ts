/** What the name of a dataset or snapshot says of its place: `<pool>/<zone>/data@<snapshot>`. Pure. */

/** The dataset that this one, or this snapshot, is directly in; '' above a pool. */
export function parentOf(name: string): string {
  const at = name.indexOf('@');
  return at >= 0 ? name.slice(0, at) : name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

/** How deep a dataset is: 0 for a pool. */
export function levelOf(name: string): number {
  return name.split('/').length - 1;
}

export function isSnapshot(name: string): boolean {
  return name.includes('@');
}
