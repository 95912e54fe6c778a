/** `vminfo wait`: until a VM is as one wants it, now or later. */
import { matches, parseEntry, parseFilter } from '../../vm/filter.js';
import type { StreamEvent } from '../../client/events.js';
import type { VmObject } from '../../vm/vm-object.js';
import { CommandError, exit, type Context } from '../context.js';
import { printableJson } from '../printable.js';

export interface WaitOptions {
  /** Seconds; default: for ever. */
  readonly timeout?: number;
  readonly json?: boolean;
}

export async function wait(
  { client, write, signal }: Context,
  zonename: string,
  conditions: readonly string[],
  { timeout, json }: WaitOptions,
): Promise<number> {
  const filter = parseFilter(conditions.map(parseEntry));
  const limit = timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1000);
  try {
    for await (const event of client.events({
      zonename,
      signal: limit ? AbortSignal.any([signal, limit]) : signal,
    })) {
      const vm = vmOf(event);
      if (!vm || !matches(filter, vm)) continue;
      if (json) await write(`${printableJson(vm, 2)}\n`);
      return exit.ok;
    }
  } catch (error) {
    if (!limit?.aborted) throw error;
  }
  throw new CommandError(
    `vminfo: ${zonename}: not ${conditions.join(' ') || 'there'} within ${timeout ?? 0} s`,
  );
}

function vmOf(event: StreamEvent): VmObject | undefined {
  if (event.type === 'ready') return event.vms[0];
  return event.type === 'delete' ? undefined : event.vm;
}
