/**
 * Settings of V8, which is tuned for throughput at the cost of memory and of CPU time at the start. On a hypervisor both
 * could be a customer's. They hold for the whole process and its threads.
 */
import { setFlagsFromString } from 'node:v8';
import { heapGrowthPercent, optimizeAfterBytes } from './config.js';

let isKeptSmall = false;
let isLate = false;
/** V8 12, in Node 22, counts calls instead of bytes, and says on stderr that it does not know the flag. */
const hasInterruptBudget = Number.parseInt(process.versions.v8, 10) < 12;

/**
 * Keeps the heap close to what is in use, at the cost of some CPU time: by default young garbage fills tens of megabytes,
 * and old garbage as much as is in use, before it is collected. A heap that has grown does not shrink, so this must be
 * called first. So little young garbage is collected by one thread: to wake helpers for it costs more than they do.
 */
export function keepHeapSmall(): void {
  isKeptSmall = true;
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-parallel-scavenge');
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
}

/** To be called once a thread runs: V8 corrects the growth factor, which it finds too small, for each new thread. */
export function keepHeapSmallStill(): void {
  if (isKeptSmall) keepHeapSmall();
}

/**
 * Has the optimizing compiler wait until a function has run for longer. By default it spends a quarter of a start's CPU
 * time on functions that are nearly done, or that it must compile once more when it has seen more of their arguments. Only
 * where V8 can be told so: not in Node 22 and later.
 */
export function optimizeLate(): void {
  if (!hasInterruptBudget) return;
  isLate = true;
  setFlagsFromString(`--interrupt-budget=${optimizeAfterBytes.atStart}`);
}

/** To be called once the start is over: what runs from then on, such as answers and events, runs again and again. */
export function optimizeAsUsual(): void {
  if (isLate) setFlagsFromString(`--interrupt-budget=${optimizeAfterBytes.usually}`);
}
