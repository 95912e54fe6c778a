#!/usr/bin/env node
/** The daemon's entry point: sets the heap's flags and starts the file-reading thread while everything else is loaded. */
import '../lib/heap.js';
import { startFileWorkerAhead } from '../lib/host/file-worker.js';

startFileWorkerAhead();
await import('./vminfod-main.js');
