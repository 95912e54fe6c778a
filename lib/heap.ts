/**
 * Keeps the heap close to what is in use, at the cost of some CPU time. V8 is tuned for throughput; it lets young garbage
 * fill tens of megabytes, and old garbage as much as is in use, before it collects. On a hypervisor every megabyte could
 * be a customer's. A heap that has grown does not shrink, so this must be called first.
 */
import { setFlagsFromString } from 'node:v8';
import { heapGrowthPercent } from './config.js';

let isKeptSmall = false;

/** From now on, the heap of this process grows little. */
export function keepHeapSmall(): void {
  isKeptSmall = true;
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
}

/** To be called once a thread runs: V8 corrects the growth factor, which it finds too small, for each new thread. */
export function keepHeapSmallStill(): void {
  if (isKeptSmall) keepHeapSmall();
}
