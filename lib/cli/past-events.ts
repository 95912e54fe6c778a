/** Past events, for commands that cannot do without. */
import type { ChangesOptions, VmClient } from '../client/client.js';
import { NotFoundError } from '../client/errors.js';
import type { PastEvents } from '../vm/past-events.js';
import { CliError } from './context.js';

/** Past events in several answers, the newest first, as far back as the daemon has them. @throws as pastEvents does. */
export async function* pastAnswers(client: VmClient, options: ChangesOptions): AsyncGenerator<PastEvents> {
  let before = options.before;
  for (;;) {
    const answer = await pastEvents(client, { ...options, ...(before !== undefined && { before }) });
    yield answer;
    if (answer.next === null) return;
    before = answer.next;
  }
}

/** As `client.changes()`. @throws CliError for a daemon that does not keep events. */
export async function pastEvents(client: VmClient, options: ChangesOptions): Promise<PastEvents> {
  try {
    return await client.changes(options);
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    throw new CliError(`vminfod at ${client.url} does not keep past events`, { cause });
  }
}
