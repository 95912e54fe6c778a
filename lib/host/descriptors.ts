/** Whether enough file descriptors are left to start a process. */
import { closeSync, openSync } from 'node:fs';

/**
 * What node needs to start a process: a pair of sockets for each of its three pipes, and two to learn that it started;
 * and as many again for what our other threads may open at the same moment.
 */
const descriptorsOfAProcess = 16;

/**
 * Without descriptors node gives us a process without pipes, and our other threads may fail in what they are doing. So
 * whoever starts a process checks first.
 *
 * @throws the error of open(2): `EMFILE` when our process may not open more, `ENFILE` when the host may not.
 */
export function requireDescriptors(count = descriptorsOfAProcess): void {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync('/dev/null', 'r'));
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
