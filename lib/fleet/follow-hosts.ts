/** The hosts as they appear, fall silent and are heard from again. */
import { setInterval, setTimeout as sleep } from 'node:timers/promises';
import { fleet as limits } from '../config.js';
import { Backoff } from './backoff.js';
import type { Nats } from './connection.js';
import { consume, type Delivered } from './consume.js';
import { parseHostRecord } from './host-record.js';
import { hostAt, type FleetHost } from './hosts.js';
import { mergeStreams } from './merge.js';
import { hostName, hostPrefix, hostStream, parseHostSubject } from './names.js';

/** A host, and when we heard from it, by our own clock: the server's may differ. */
interface Heard {
  readonly host: FleetHost;
  readonly at: number;
  /** What was last told of it. */
  readonly told: string;
}

/**
 * First all hosts, then those whose name or staleness has changed. While NATS cannot be reached no host becomes stale:
 * afterwards each has its full time again.
 *
 * @throws VminfodError when it cannot begin; the signal's reason.
 */
export async function* followHosts(
  nats: Nats,
  signal: AbortSignal,
): AsyncGenerator<readonly FleetHost[], never> {
  const backoff = new Backoff(limits.backoffMinMs, limits.backoffMaxMs);
  const heard = new Map<string, Heard>();
  let isReady = false;
  for (;;) {
    try {
      let isAbreast = false;
      for await (const raw of mergeStreams<Delivered | 'abreast' | 'tick'>(signal, (joined) => [
        consume(nats, hostStream, { filter: `${hostPrefix}>`, signal: joined }),
        setInterval(limits.staleCheckMs, 'tick' as const, { signal: joined }),
      ])) {
        if (raw === 'abreast') isAbreast = true;
        else if (raw !== 'tick') hear(raw);
        if (!isAbreast) continue;
        const changed = news();
        if (changed.length > 0 || !isReady) yield changed;
        isReady = true;
        backoff.reset();
      }
    } catch (error) {
      signal.throwIfAborted();
      if (!isReady) throw error;
      await sleep(backoff.next(), undefined, { signal });
    }
  }

  function hear({ subject, data, storedAt }: Delivered): void {
    const id = parseHostSubject(subject);
    const record = parseHostRecord(data);
    if (id === undefined || record === undefined) return;
    const known = heard.get(hostName(id));
    // Delivered again after a lost connection: it is no sign of life of a host that was stale before.
    if (known?.host.stale !== undefined && known.host.heardAt.getTime() === storedAt.getTime()) return;
    const at = isReady ? Date.now() : storedAt.getTime();
    heard.set(hostName(id), { host: { ...id, record, heardAt: storedAt }, at, told: known?.told ?? '' });
  }

  /** The hosts that are not as they were last told. */
  function news(): readonly FleetHost[] {
    return [...heard].flatMap(
      ([
        name,
        {
          host: { heardAt, record, ...id },
          at,
          told: before,
        },
      ]) => {
        const host = hostAt(id, record, heardAt, heardAt.getTime() + Date.now() - at);
        const told = JSON.stringify([record.hostname, host.stale]);
        heard.set(name, { host, at, told });
        return told === before ? [] : [host];
      },
    );
  }
}
