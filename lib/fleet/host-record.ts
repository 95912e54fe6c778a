/** What a host reports about itself every ten seconds: `vminfo_hosts`. */
import { hostname } from 'node:os';
import type { Nats } from './connection.js';
import { asFleetError } from './errors.js';
import { hostStream, hostSubject, type HostId } from './names.js';

/** Facts about a host, and its publisher. */
export interface HostRecord {
  readonly hostname: string;
  /** ISO; by the host's clock. */
  readonly at: string;
  readonly publisher: PublisherRecord;
  /** The daemon's health, a summary of its `/status`; absent while it does not answer. */
  readonly daemon?: DaemonRecord;
  /** From sysinfo(8). */
  readonly sysinfo: Readonly<Record<string, string>>;
  /** The number of VMs by state; the stream has all of them when `behind` is 0. */
  readonly vms: { readonly total: number; readonly states: Readonly<Record<string, number>> };
  /** The digest of the hashes of all VMs (message.ts) on the host. */
  readonly digest: string;
}

/** The only publisher of a host. */
export interface PublisherRecord {
  readonly instance: string;
  readonly epoch: number;
  readonly version: string;
  readonly pid: number;
  /** Where it runs. The same host on two machines means that somebody has cloned a server's UUID. */
  readonly machine: string;
  /** Of its last message; 0 before the first. */
  readonly seq: number;
  /** Its last message's sequence in the stream. */
  readonly revision: number;
  /** It has ended properly, so the next need not wait. */
  readonly released: boolean;
  /** VMs whose newest state is not in the stream yet. */
  readonly behind: number;
  /** VMs that are too large for a message. */
  readonly refused: readonly string[];
  /** What keeps it from publishing. */
  readonly trouble?: { readonly code: string; readonly message: string; readonly since: string };
  readonly counters: Readonly<Record<PublisherCounter, number>>;
}

/** Counts since the publisher's start: of `comparisons` of both sides; the rest of messages. */
export type PublisherCounter = 'written' | 'coalesced' | 'conflicts' | 'full' | 'failures' | 'comparisons';

export interface DaemonRecord {
  readonly state: string;
  readonly sources: Readonly<Record<string, string>>;
  readonly loadErrors: number;
}

/** A record, and its sequence in the stream. */
export interface StoredHostRecord {
  readonly record: HostRecord | undefined;
  readonly revision: number;
  readonly storedAt: Date;
}

/** @throws VminfodError */
export async function readHostRecord({ manager }: Nats, host: HostId): Promise<StoredHostRecord | undefined> {
  try {
    const message = await manager.direct.getMessage(hostStream, { last_by_subj: hostSubject(host) });
    if (message === null) return undefined;
    return { record: parseHostRecord(message.data), revision: message.seq, storedAt: message.time };
  } catch (error) {
    throw asFleetError(error, hostStream);
  }
}

/**
 * Writes a record, if nobody else has since `after`.
 *
 * @returns Its sequence.
 * @throws ConflictError; VminfodError
 */
export async function writeHostRecord(
  { jetstream }: Nats,
  host: HostId,
  record: HostRecord,
  after: number,
): Promise<number> {
  const subject = hostSubject(host);
  try {
    const ack = await jetstream.publish(subject, JSON.stringify(record), {
      expect: { lastSubjectSequence: after },
    });
    return ack.seq;
  } catch (error) {
    throw asFleetError(error, subject);
  }
}

/** A record; `undefined` for the marker of a forgotten host, or anything that is not ours. */
export function parseHostRecord(data: Uint8Array): HostRecord | undefined {
  try {
    const record = JSON.parse(Buffer.from(data).toString()) as Partial<HostRecord> | null;
    const isOurs = typeof record?.at === 'string' && typeof record.publisher?.epoch === 'number';
    return isOurs ? (record as HostRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the process that wrote this is known to be gone: it ran on our machine, and there is no such process. */
export function isDead({ machine, pid }: PublisherRecord): boolean {
  if (machine !== hostname() || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
