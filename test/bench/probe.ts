/**
 * Loaded into the daemon's process before the daemon (`node --import`): answers over IPC how much CPU the process took
 * and how long its event loop was held since the last question; `collect` has it collect its garbage first.
 */
import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { queryObjects } from 'node:v8';

/** A question. */
export type ProbeRequest = 'usage' | 'collect';

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
  /** Open file descriptors. */
  readonly descriptors: number;
  /** What the JavaScript heap and buffers outside of it hold, MB. */
  readonly usedMb: number;
}

/** The histogram's timer fires this often, which counts as delay. */
const resolutionMs = 1;

function Nothing(): void {
  // Nobody makes one: there are none to be found.
}

const delay = monitorEventLoopDelay({ resolution: resolutionMs });
let cpu = process.cpuUsage();

process.on('message', (request: ProbeRequest) => {
  if (request === 'collect') {
    // The one thing that has V8 give back all that it can, fragments of pages too, so that what is left tells something.
    queryObjects(Nothing, { format: 'count' });
  }
  const { user, system } = process.cpuUsage(cpu);
  const { heapUsed, external } = process.memoryUsage();
  const usage: Usage = {
    cpuMs: (user + system) / 1000,
    longestMs: Math.max(0, delay.max / 1e6 - resolutionMs),
    p99Ms: Math.max(0, delay.percentile(99) / 1e6 - resolutionMs),
    handles: process.getActiveResourcesInfo().length,
    descriptors: readdirSync('/proc/self/fd').length,
    usedMb: (heapUsed + external) / 2 ** 20,
  };
  process.send?.(usage, () => {
    delay.reset();
    delay.enable();
    cpu = process.cpuUsage();
  });
});
// It must not keep the daemon alive.
process.channel?.unref();
