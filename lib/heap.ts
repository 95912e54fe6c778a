/**
 * To be imported first, for what it does: it keeps the heap close to what is in use, for some CPU time. V8 is tuned for
 * throughput; it lets young garbage fill tens of megabytes, and old garbage as much as is in use, before it collects. On
 * a hypervisor every megabyte is a customer's. A heap that has grown does not shrink, hence first.
 */
import { setFlagsFromString } from 'node:v8';
import { heapGrowthPercent } from './config.js';

setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
