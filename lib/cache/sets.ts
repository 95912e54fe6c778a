/** Maps of sets, in which no set is empty. */

/** Puts a name into the set of that key. */
export function addTo(sets: Map<string, Set<string>>, key: string, name: string): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([name]));
  else known.add(name);
}

/** Takes a name out of the set of that key. */
export function removeFrom(sets: Map<string, Set<string>>, key: string, name: string): void {
  const known = sets.get(key);
  known?.delete(name);
  if (known?.size === 0) sets.delete(key);
}
