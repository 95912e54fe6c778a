#!/usr/bin/env node
/** The daemon's entry point: keeps the heap small and starts the file-reading thread while everything else is loaded. */
import { keepHeapSmall } from '../lib/heap.js';
import { startFileWorkerAhead } from '../lib/host/file-worker.js';

keepHeapSmall();
startFileWorkerAhead();
await import('./vminfod-main.js');
