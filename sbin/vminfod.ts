#!/usr/bin/env node
/** The daemon's beginning: the heap's flags, and the thread that reads files, which starts while all else is loaded. */
import '../lib/heap.js';
import { startFileWorkerAhead } from '../lib/host/file-worker.js';

startFileWorkerAhead();
await import('./vminfod-main.js');
