/**
 * To be imported first, for its side effect: it keeps the heap close to what is in use, at the cost of some CPU time. V8
 * is tuned for throughput; it lets young garbage fill tens of megabytes, and old garbage as much as is in use, before it
 * collects. On a hypervisor every megabyte could be a customer's. A heap that has grown does not shrink, so this must
 * come first.
 */
import { setFlagsFromString } from 'node:v8';
import { heapGrowthPercent } from './config.js';

setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
