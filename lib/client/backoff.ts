/** How long to wait before the next attempt to reach a daemon. */
import { reconnectMaxMs, reconnectMinMs } from '../config.js';

/** "Full jitter": a random wait up to a ceiling that doubles, so that many clients spread out. */
export function reconnectDelayMs(failures: number): number {
  return Math.random() * Math.min(reconnectMaxMs, reconnectMinMs * 2 ** failures);
}
