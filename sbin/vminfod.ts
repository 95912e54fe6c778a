#!/usr/bin/env node
/** The daemon's entry point: keeps the heap small and starts the file-reading thread while everything else is loaded. */
import { startFileWorkerAhead } from '../lib/host/file-worker.js';
import { keepHeapSmall, optimizeLate } from '../lib/v8-flags.js';

keepHeapSmall();
optimizeLate();
startFileWorkerAhead();
await import('./vminfod-main.js');
