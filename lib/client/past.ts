/**
 * What happened before a stream began, as far as the daemon still has it: by a request of its own, so that its filters mean
 * the same as those of the stream.
 */
import type { VmEvent } from '../vm/event.js';
import { linesFrom, type ConnectionOptions } from './connection.js';
import type { Transport } from './transport.js';

/**
 * The events after the `since` of the request, up to the one with the seq `last`. None when the daemon no longer has what
 * follows `since`, or was started anew.
 */
export async function* pastEvents(
  transport: Transport,
  connection: ConnectionOptions,
  last: number,
): AsyncGenerator<VmEvent, void> {
  for await (const line of linesFrom(transport, connection)) {
    if (line.type === 'ready') {
      if (line.resumed !== true) return;
      continue;
    }
    // The first heartbeat comes when all that there was is told.
    if (line.type === 'heartbeat' || line.type === 'overflow' || (line.seq ?? 0) > last) return;
    yield line;
  }
}
