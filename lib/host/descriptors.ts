/** Whether there are file descriptors left to start a process with. */
import { closeSync, openSync } from 'node:fs';

/**
 * What node takes to start a process: a pair of sockets for each of its three pipes, and two to hear of its start; and as
 * many again for what other threads of ours open at the same moment.
 */
const descriptorsOfAProcess = 16;

/**
 * Without descriptors node gives us a process without pipes, and threads of ours may be left without what they are at. So
 * whoever starts a process asks first.
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
