/** A listener that takes the time of every event, and sees the changes that one waits for. */
import { get, type IncomingMessage } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { VmEvent } from '../../lib/vm/event.js';

/** A change that is not seen by then was missed. */
const patienceMs = 60_000;

export interface EventStream {
  /** Events so far. */
  readonly count: number;
  /** Calls it with every event to come, and when its bytes were here, as `performance.now()`. Returns how to stop. */
  each(seen: (event: VmEvent, at: number) => void): () => void;
  /** When the first event to come that fits was here. Rejects when none comes for a time in which any should. */
  until(fits: (event: VmEvent) => boolean): Promise<number>;
  close(): void;
}

/** Opens `/events`; resolves when it is live. */
export async function openEventStream(url: string): Promise<EventStream> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${url}/events?vms=none`, { agent: false }, resolve).on('error', reject);
  });
  const observers = new Set<(event: VmEvent, at: number) => void>();
  let count = 0;
  /** Parts of a line that is not whole yet: joined only once, as it may have megabytes. */
  let parts: string[] = [];
  response.setEncoding('utf8');
  response.on('error', () => undefined); // closed while reading
  const ready = new Promise<void>((resolve) => {
    response.on('data', (text: string) => {
      const at = performance.now();
      parts.push(text);
      if (!text.includes('\n')) return;
      const lines = parts.join('').split('\n');
      parts = [lines.pop() ?? ''];
      for (const line of lines) {
        const event = JSON.parse(line) as VmEvent | { readonly type: 'ready' };
        if (event.type === 'ready') {
          resolve();
          continue;
        }
        count++;
        for (const observer of observers) observer(event, at);
      }
    });
  });
  await ready;
  const each: EventStream['each'] = (seen) => {
    observers.add(seen);
    return () => observers.delete(seen);
  };
  return {
    get count() {
      return count;
    },
    each,
    until: (fits) =>
      new Promise((resolve, reject) => {
        const stop = each((event, at) => {
          if (!fits(event)) return;
          clearTimeout(late);
          stop();
          resolve(at);
        });
        const late = setTimeout(() => {
          reject(new Error(`no event that fits in ${patienceMs / 1000} s`));
        }, patienceMs);
      }),
    close: () => {
      response.destroy();
    },
  };
}
