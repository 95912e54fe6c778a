/**
 * A daemon as the chaos test starts it, and as a client sees it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import type { Observable } from 'rxjs';
import { startDaemon, type Daemon } from '../../lib/daemon.js';
import type { Invalidation } from '../../lib/sources/invalidation.js';
import type { WatchSource } from '../../lib/host/file-messages.js';
import type { VmObject } from '../../lib/vm/vm-object.js';
import { get, type Status } from '../daemon/harness.js';
import { byZonename, type Vms } from './compare.js';

const neverMs = 2 ** 31 - 1;
/** How long anything may take to settle: the longest backoff of a source is 30 s, and so is the slowest command's timeout. */
const settleMs = 60_000;
/** Longer than anything that is read again by itself, without a fault: see newstateRetriesMs. */
const soonMs = 4_000;

/** A daemon that rescans only when asked. */
export function startOn(
  root: string,
  requests: Observable<Invalidation>,
  watch?: WatchSource,
): Promise<Daemon> {
  return startDaemon({
    root,
    listen: '127.0.0.1',
    port: 0,
    rescanIntervalMs: neverMs,
    log: pino({ level: 'silent' }),
    requests,
    ...(watch !== undefined && { watch }),
  });
}

/** See the module's head. */
export class Client {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async status(): Promise<Status> {
    return (await get(`${this.url}/status`)).json as Status;
  }

  async vms(): Promise<Vms> {
    return byZonename((await get(`${this.url}/vms`)).json as VmObject[]);
  }

  async sourcesRun(): Promise<boolean> {
    return (await this.status()).sources.every(({ state }) => state === 'running');
  }

  untilReady(): Promise<void> {
    return this.until('the daemon is ready', async () => {
      const { state, queue } = await this.status();
      return state === 'running' && queue.idle;
    });
  }

  untilIdle(): Promise<void> {
    return this.until('the queue is idle', async () => (await this.status()).queue.idle);
  }

  /** Rejects when it does not hold in the time that anything may take to settle. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    if (await holdsWithin(settleMs, holds)) return;
    const { sources, queue, loadErrors } = await this.status();
    throw new Error(
      `not within ${settleMs / 1000} s: ${what}\n${JSON.stringify({ sources, queue, loadErrors })}`,
    );
  }
}

/** True when it holds soon: longer than anything is waited for that is read again by itself. */
export function holdsSoon(holds: () => boolean | Promise<boolean>): Promise<boolean> {
  return holdsWithin(soonMs, holds);
}

/** True as soon as it holds; false when it does not in time. */
export async function holdsWithin(ms: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > deadline) return false;
    await wait(20);
  }
  return true;
}
