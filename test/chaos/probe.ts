/**
 * Looks at a daemon from outside, all the time: it answers `/ping`, its process is never stuck, and it does not run more
 * and more commands.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { get } from '../daemon/harness.js';
import { descendantsOf, isShell } from '../processes.js';
import { isVminfod } from './vminfod-process.js';

/** What may be seen. Bounds, not targets: other work shares the machine, and the storm itself shares the process. */
const bounds = {
  pingMs: 15_000,
  loopMs: 15_000,
  /** Two sysevents; eight runs in each of three lanes, of which those for zones run three commands; a rescan's three. */
  children: 2 + 8 * (3 + 1 + 1) + 3,
} as const;

/** How often it looks. */
const periodMs = 200;

/** The worst that was seen. */
export interface Seen {
  pings: number;
  pingMs: number;
  loopMs: number;
  children: number;
}

/** Looks until aborted; then resolves. */
export async function probe(
  url: string,
  seen: Seen,
  onProblem: (problem: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: 10 });
  loop.enable();
  while (!signal.aborted) {
    const startedAt = performance.now();
    const status = await get(`${url}/ping`).then((answer) => answer.status, String);
    const pingMs = performance.now() - startedAt;
    if (status !== 200) onProblem(`/ping: ${status}`);
    if (pingMs > bounds.pingMs) onProblem(`/ping took ${Math.round(pingMs)} ms`);
    const running = (await descendantsOf(process.pid, isVminfod)).filter((each) => !isShell(each));
    if (running.length > bounds.children)
      onProblem(`${running.length} children: ${running.map(({ args }) => args.slice(0, 80)).join(' | ')}`);
    const loopMs = loop.max / 1e6;
    if (loopMs > bounds.loopMs) onProblem(`the event loop was stuck for ${Math.round(loopMs)} ms`);
    loop.reset();
    seen.pings++;
    seen.pingMs = Math.max(seen.pingMs, pingMs);
    seen.loopMs = Math.max(seen.loopMs, loopMs);
    seen.children = Math.max(seen.children, running.length);
    await wait(periodMs, undefined, { signal }).catch(() => undefined); // aborted: then it ends
  }
  loop.disable();
}
