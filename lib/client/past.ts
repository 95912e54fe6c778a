/**
 * Events from before a stream began, as far as the daemon still has them: by a separate `/events` request, so that
 * filters mean the same as in the stream.
 */
import type { VmEvent } from '../vm/event.js';
import { linesFrom, type ConnectionOptions } from './connection.js';
import type { Transport } from './transport.js';

/**
 * The events after the `since` of the request, up to the one with the seq `last`. None when the daemon no longer has what
 * follows `since`, or was restarted.
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
    // The first heartbeat arrives after all past events.
    if (line.type === 'heartbeat' || line.type === 'overflow' || (line.seq ?? 0) > last) return;
    yield line;
  }
}
