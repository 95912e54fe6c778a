/** What the daemon does before it loads the rest of itself: it sets V8's flags, and starts the thread that reads files. */
import { startFileWorkerAhead } from '../lib/host/file-worker.js';
import { keepHeapSmall, optimizeLate } from '../lib/v8-flags.js';

keepHeapSmall();
optimizeLate();
startFileWorkerAhead();
