/**
 * Ends a process that has a thread stuck in a system call, on a file system that hangs. `process.exit()`, and the end of
 * the main thread too, wait for every thread; so does `worker.terminate()`. Only an unhandled signal whose default is to
 * end the process works: the kernel ends all threads at once.
 */

/** Ends this process as an unhandled signal would. To be called when everything else is done. */
export function endBySignal(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
