/**
 * Loaded into the daemon's process before the daemon (`node --import`): answers over IPC how much CPU the process took
 * and how long its event loop was held since the last question.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** The answer. */
export interface Usage {
  /** CPU time of all threads of the process, not of its children, ms. */
  readonly cpuMs: number;
  /** The longest that the event loop was held, ms. */
  readonly longestMs: number;
  /** 99 % of the turns were shorter, ms. */
  readonly p99Ms: number;
  /** Handles and requests that keep the process alive. */
  readonly handles: number;
}

/** The histogram's timer fires this often, which counts as delay. */
const resolutionMs = 1;

const delay = monitorEventLoopDelay({ resolution: resolutionMs });
let cpu = process.cpuUsage();

process.on('message', () => {
  const { user, system } = process.cpuUsage(cpu);
  const usage: Usage = {
    cpuMs: (user + system) / 1000,
    longestMs: Math.max(0, delay.max / 1e6 - resolutionMs),
    p99Ms: Math.max(0, delay.percentile(99) / 1e6 - resolutionMs),
    handles: process.getActiveResourcesInfo().length,
  };
  process.send?.(usage, () => {
    delay.reset();
    delay.enable();
    cpu = process.cpuUsage();
  });
});
// It must not keep the daemon alive.
process.channel?.unref();
