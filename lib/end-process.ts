/**
 * How a process ends that has a thread stuck in a system call, on a file system that hangs. `process.exit()`, and the end of
 * the main thread too, wait for every thread; so does `worker.terminate()`. Only a signal that nobody handles, whose default
 * is to end the process, is done by the kernel alone, for all threads at once.
 */

/** Ends this process as the signal does to one that does not handle it. To be called when all else is done. */
export function endBySignal(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
