/** Who holds most of what there is only so much of: connections, listeners. Pure. */

/** User agents, `-` being those that never said, and how many each has. */
export type Holders = readonly (readonly [userAgent: string, count: number])[];

/** The culprits are few. */
const maxHolders = 5;

/** Who comes most often, and how often. */
export function mostOf(userAgents: Iterable<string>): Holders {
  const counts = new Map<string, number>();
  for (const each of userAgents) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, maxHolders);
}

/** For people: `3 of curl/8.5, 1 of -`. */
export function holdersText(holders: Holders): string {
  return holders.map(([userAgent, count]) => `${count} of ${userAgent}`).join(', ');
}
