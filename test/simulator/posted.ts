/**
 * What was posted on a channel of a simulated host.
 */
import { readFileSync } from 'node:fs';
import type { Channel, SimulatedHost } from '../../lib/simulator/index.js';

/** `data` of each event so far; 64-bit numbers are rounded. */
export function posted(host: SimulatedHost, channel: Channel): Record<string, unknown>[] {
  return readFileSync(host.path(`/var/simulator/channels/${channel}`), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { data: Record<string, unknown> }).data);
}
