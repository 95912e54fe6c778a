/**
 * What the stream currently has of one host: the headers of each VM's last message. Takes some milliseconds, however many
 * hosts there are.
 */
import type { Nats } from './connection.js';
import { consume, type ConsumeOptions } from './consume.js';
import { asFleetError } from './errors.js';
import { decodeHeaders, decodeMessage, digestOf, type StoredMessage } from './message.js';
import {
  headerNames,
  hostName,
  parseVmSubject,
  vmStream,
  vmSubject,
  vmSubjects,
  type HostId,
  type VmKey,
} from './names.js';

/** What a publisher must know of a VM's last message. */
export interface Observed {
  /** Its sequence: the next message must declare that it follows this one. */
  readonly revision: number;
  /** `undefined`: a marker that it is gone, or not a message of ours. */
  readonly hash: string | undefined;
  /** Whether a reader takes it for a VM or a VM's deletion: anything else must be overwritten. */
  readonly isOurs: boolean;
}

export interface ObserveOptions extends Pick<ConsumeOptions, 'signal'> {
  /**
   * Messages of an earlier epoch after this revision are of a publisher that had been replaced by then. Readers drop
   * them, so they are not ours.
   */
  readonly late?: { readonly epoch: number; readonly revision: number } | undefined;
}

/** Looks at what the stream has. @throws VminfodError */
export async function observe(
  nats: Nats,
  host: HostId,
  { late = { epoch: 0, revision: Infinity }, ...options }: ObserveOptions,
): Promise<ReadonlyMap<string, Observed>> {
  const found = new Map<string, Observed>();
  for await (const raw of consume(nats, vmStream, {
    ...options,
    filter: vmSubjects(host),
    headersOnly: true,
  })) {
    if (raw === 'abreast') break;
    const zonename = parseVmSubject(raw.subject)?.zonename;
    if (zonename === undefined) continue;
    const { revision } = raw;
    const decoded = decodeHeaders(raw);
    const isLate = decoded !== undefined && decoded.epoch < late.epoch && revision > late.revision;
    const head = isLate ? undefined : decoded;
    found.set(zonename, { revision, hash: head?.hash, isOurs: head !== undefined });
  }
  return found;
}

/** What the stream has of a host. */
export interface StoredHost {
  /** Of the hashes of its VMs (message.ts). */
  readonly digest: string;
  /** The sequence of its last message. */
  readonly revision: number;
}

/** What the stream has of each host, by hostName. @throws VminfodError */
export async function observeAll(nats: Nats, signal: AbortSignal): Promise<ReadonlyMap<string, StoredHost>> {
  const found = new Map<string, { hashes: [zonename: string, hash: string][]; revision: number }>();
  for await (const raw of consume(nats, vmStream, { filter: vmSubjects(), headersOnly: true, signal })) {
    if (raw === 'abreast') break;
    const head = decodeHeaders(raw);
    if (head === undefined) continue;
    const name = hostName(head.key);
    const host = found.get(name) ?? { hashes: [], revision: 0 };
    found.set(name, host);
    host.revision = raw.revision;
    if (head.hash !== undefined) host.hashes.push([head.key.zonename, head.hash]);
  }
  return new Map(
    [...found].map(([name, { hashes, revision }]) => [name, { digest: digestOf(hashes), revision }]),
  );
}

/**
 * A VM's last message; `undefined` when there is none or it is not one of ours.
 *
 * @throws VminfodError
 */
export async function lastMessage({ manager }: Nats, key: VmKey): Promise<StoredMessage | undefined> {
  const subject = vmSubject(key);
  try {
    const message = await manager.direct.getMessage(vmStream, { last_by_subj: subject });
    if (message === null) return undefined;
    const { seq: revision, data, header } = message;
    // We asked for a stored message, so the mark of a reply means nothing here.
    return decodeMessage({
      subject,
      revision,
      data,
      header: (name) => (name === headerNames.answerOf ? '' : header.get(name)),
    });
  } catch (error) {
    throw asFleetError(error, vmStream);
  }
}
