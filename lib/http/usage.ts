/**
 * The answer to `/usage`: how much disk space VMs have used. It is read when someone asks, at most once at a time and not
 * more often than `usageLimits` says, however many ask.
 */
import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { VmCache } from '../cache/cache.js';
import { usageLimits } from '../config.js';
import type { DatasetUsage, UsageReport } from '../vm/usage.js';
import { replyBytes, replyError } from './reply.js';

/** Reads what datasets take, by their names; or says why it cannot. */
export type ReadUsage = () => Promise<ReadonlyMap<string, DatasetUsage> | Error>;

/** Answers a request. */
export type UsageReply = (response: ServerResponse) => Promise<void>;

interface Answer {
  readonly bytes: Buffer | Error;
  /** When it is too old to be given, by performance.now(). */
  readonly endsAt: number;
}

export function usageReply(
  cache: Pick<VmCache, 'snapshot'>,
  read: ReadUsage,
  { maxAgeMs }: { readonly maxAgeMs: number } = usageLimits,
): UsageReply {
  let last: Answer | undefined;
  let reading: Promise<Answer> | undefined;
  const current = async (): Promise<Answer> => {
    if (last !== undefined && performance.now() < last.endsAt) return last;
    reading ??= answer().finally(() => {
      reading = undefined;
    });
    return (last = await reading);
  };
  // A failure is an answer, too: what fails is not tried more often than what succeeds.
  const answer = async (): Promise<Answer> => {
    const found = await read();
    const bytes = found instanceof Error ? found : Buffer.from(JSON.stringify(report(found)));
    return { bytes, endsAt: performance.now() + maxAgeMs };
  };
  const report = (datasets: ReadonlyMap<string, DatasetUsage>): UsageReport => {
    const vms = [...cache.snapshot.value.vms.values()].flatMap(({ vm }) => {
      const usage = datasets.get(vm.zfs_filesystem ?? '');
      return usage === undefined ? [] : [[vm.zonename, usage] as const];
    });
    return { date: new Date().toISOString(), vms: Object.fromEntries(vms) };
  };

  return async (response) => {
    const { bytes } = await current();
    if (bytes instanceof Error) replyError(response, 'LoadError', bytes.message, { 'Retry-After': '5' });
    else replyBytes(response, bytes);
  };
}
